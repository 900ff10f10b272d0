public import FastCGI
internal import GalletaPlatform
public import HTTPTypes
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

    /// Refuses (403) what a page of another site has made a browser send: every request but GET, HEAD and OPTIONS needs the
    /// session's token (`Session.csrfToken()`), in a form's field or in a header field.
    ///
    /// Before that, and before a large body is taken, the browser's own word counts. `Sec-Fetch-Site`, where it is sent, must be
    /// `same-origin`, or `none` for what the user did without a page. Else `Origin`, where it is sent, must have host and port
    /// of this site: those of the parameter REQUEST_ORIGIN, which the example configurations pass as the web server saw them
    /// (`$scheme://$http_host`), or else of the client's `Host`.
    ///
    /// ```swift
    /// app.use(.requireCSRF(trustedOrigins: ["https://pay.example"]))
    /// app.get("/cart") { request, session in
    ///     .html("<form method=post action=buy><input type=hidden name=csrf value=\"\(try session.csrfToken())\">…")
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - trustedOrigins: Other origins whose pages may send requests with the token, as `https://pay.example`.
    ///   - field: The form's field.
    ///   - header: The header field, for scripts.
    public static func requireCSRF(
        trustedOrigins: [String] = [], field: ByteString = "csrf", header: HTTPField.Name = .csrfToken
    ) -> Step {
        let trusted = trustedOrigins.map { text in
            guard let origin = WebOrigin(text) else { preconditionFailure("\"\(text)\" is no origin (https://host)") }
            return origin
        }
        return .check { request, _ in
            guard !request.isSafe, request.pageOrigin(trusting: trusted) == .foreign else { return nil }
            throw HTTPError(.forbidden, "this request comes from a page of another site. Nothing was done.")
        } then: { request, session in
            guard !request.isSafe else { return }
            var token = request.header(header)
            if token == nil, request.isForm { token = try request.form().fields[field] }
            guard try session.verifyCSRF(token) else {
                throw HTTPError(
                    .forbidden,
                    request.header(.cookie) == nil
                        ? "this form came without a cookie, so it may be another site's. Nothing was done. Allow cookies for "
                            + "this site, and load the page again."
                        : "this form is out of date: the session that its page belonged to has ended or changed. Nothing was "
                            + "done. Load the page again.")
            }
        }
    }
}

extension HTTPField.Name {
    /// `X-CSRF-Token`, in which scripts send a session's token.
    public static var csrfToken: HTTPField.Name { csrf }
    private static let csrf = HTTPField.Name("X-CSRF-Token")!
}

extension Request {
    /// Path and query as they were sent.
    fileprivate var sentTarget: String { sentPath + (queryString.isEmpty ? "" : "?" + queryString) }

    /// Whether its method asks for nothing to be changed (RFC 9110, section 9.2.1).
    var isSafe: Bool { method == .get || method == .head || method == .options }

    fileprivate var isForm: Bool {
        let type = (contentType ?? "").lowercased()
        return type.hasPrefix("application/x-www-form-urlencoded") || type.hasPrefix("multipart/form-data")
    }
}
