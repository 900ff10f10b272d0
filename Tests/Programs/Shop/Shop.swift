import Galleta
import Passwords

/// What the shop answers, wherever it is served: behind a web server, or to a test.
struct Shop {
    let users: PasswordFile
    let files: String
    let photos: String

    func add(to app: Application) {
        app.use(.timing)
        app.use(.requireCSRF())
        app.onError(Self.page(of:for:))
        app.files("/static", from: files, maxAge: .seconds(86_400))

        Catalogue(warehouse: Warehouse()).add(to: app)
        LogIn(users: users).add(to: app)
        Cart.addRoutes(to: app)
        app.group("/account") { account in
            account.use(.requireUser(logInAt: "/login"))
            Photos(folder: photos).add(to: account)
            Order.addRoutes(to: account)
        }
    }

    /// A page for people, JSON for scripts, and for all others the library's line of text.
    @Sendable private static func page(of error: any Error, for request: Request) throws -> Response? {
        let error = HTTPError(answering: error)
        if request.acceptsHTML { return .html(Page.error(error, mount: request.mount), status: error.status) }
        if request.path.hasPrefix("/api/") { return try .json(["error": error.explanation], status: error.status) }
        return nil
    }
}

extension Step {
    /// Tells how long each answer took. It may suspend, so it holds no worker where a handler waits.
    fileprivate static let timing = Step { request, session, next in
        let start = ContinuousClock.now
        var response = await next(request, session)
        let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
        response.headers[HTTPField.Name("Server-Timing")!] = "app;dur=\(milliseconds)"
        return response
    }
}
