internal import FastCGI
internal import HTTPTypes
internal import Sessions

extension Step {
    /// Lets those pass who are logged in (`Session.logIn`), and is asked before a large body is taken; see ``check(_:)``.
    ///
    /// - Parameter path: Where to log in, below the mount point. A browser that wants a page is sent there, with the page's own
    ///   path and query in the field `next`: let `Response.redirect(to:)` check it. All others, and all without a path, get 401.
    public static func requireUser(logInAt path: String? = nil) -> Step {
        .check { request, session in
            guard try session.user == nil else { return nil }
            let reads = request.method == .get || request.method == .head
            guard let path, reads, request.acceptsHTML else {
                throw HTTPError(.unauthorized, "log in first", headers: [.cacheControl: "no-store"])
            }
            var next = FormFields()
            next.append("next", request.sentTarget)
            return try .redirect(to: "\(request.mount)\(path)?\(next.urlEncoded)")
        }
    }
}

extension Request {
    /// Path and query as they were sent.
    fileprivate var sentTarget: String { sentPath + (queryString.isEmpty ? "" : "?" + queryString) }
}
