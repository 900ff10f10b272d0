internal import Galleta
internal import HTTPTypes
internal import Passwords

/// `POST /login`: user name and password; the session gets a new id and belongs to the user. `GET /login`: the form.
///
/// 401 for a wrong password, 429 where too many were wrong, 503 while too many others log in.
struct Login: Sendable {
    let check: LogInCheck
    let page: HomePage
    /// Makes browsers known.
    let browsers: KnownBrowsers

    static let path = "/login"

    func add(to application: Application) {
        application.get(Self.path) { request, session in
            try session.user == nil ? page.response(request, session) : .redirect(to: request.mount + "/")
        }
        application.post(Self.path) { request, session in
            let form = try request.form()
            do {
                try FormGuard.checkLogIn(form, session, request)
            } catch let stale as FormGuard.StaleForm {
                // The form again, with a token that works.
                return try page.response(
                    request, session, status: stale.status, message: stale.message(for: request),
                    userName: Self.shown(form.fields["username"] ?? ""))
            }
            let user = try form.fields.require("username")
            let tokens = KnownBrowsers.tokens(of: request)
            let outcome = check.check(
                user: ByteString(user), password: ByteString(try form.fields.require("password")),
                address: request.remoteAddress, tokens: tokens)
            guard case .right(let credential) = outcome else {
                return try refusal(outcome, request, session, user: user)
            }
            try session.logIn(user: user, client: ClientName.of(request), stamp: credential.stamp)
            try Notice.leave("You are logged in.", in: session)
            var response = try Response.redirect(to: request.mount + "/")
            response.headers.append(
                .setCookie, browsers.header(for: credential, keeping: tokens, isSecure: request.isSecure))
            return response
        }
    }

    /// What the form has in it again: nothing for what is no name, however large the page would be.
    private static func shown(_ user: String) -> String {
        user.utf8.count <= Credential.maxUserBytes ? user : ""
    }

    private func refusal(
        _ outcome: LogInCheck.Outcome, _ request: Request, _ session: Session, user: String
    ) throws -> Response {
        let status: HTTPResponse.Status
        let message: String
        var retryAfter: Duration?
        switch outcome {
        case .right, .wrong:
            (status, message) = (.unauthorized, "This user name and password do not match.")
        case .unfit(let maxBytes):
            status = .unauthorized
            message = "A password has at most \(maxBytes) bytes here, and no NUL. This one has not been looked at."
        case .throttled(let wait, let isKnownBrowser):
            let minutes = (wait.components.seconds + 59) / 60
            status = .tooManyRequests
            message =
                "Too many wrong passwords. Try again in \(minutes <= 1 ? "a minute" : "\(minutes) minutes")"
                + (isKnownBrowser ? "." : ", or in a browser that you have logged in with before.")
            retryAfter = wait
        case .busy(let wait):
            (status, message) = (.serviceUnavailable, "Too many people are logging in. Try again in a few seconds.")
            retryAfter = wait
        }
        var response = try page.response(request, session, status: status, message: message, userName: Self.shown(user))
        if let (seconds, rest) = retryAfter?.components {
            response.headers[.retryAfter] = String(max(1, seconds + (rest > 0 ? 1 : 0)))
        }
        return response
    }
}
