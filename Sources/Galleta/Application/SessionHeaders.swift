internal import FastCGI
internal import HTTPTypes
internal import Sessions

/// The header fields that a session's part in a response demands.
///
/// A cookie that a shared cache stored would hand one visitor's session to the next: so a response that sets a cookie is
/// not stored at all, one that read the session not without asking, and one that did not touch it is left alone.
/// `X-Accel-Expires: 0` holds in nginx even where Cache-Control is ignored; nginx does not pass it on.
enum SessionHeaders {
    private static let accelExpires = HTTPField.Name("X-Accel-Expires")!

    static func apply(_ commit: SessionCommit, to response: inout Response) {
        // Before a handler's own cookies: nginx's auth_request, for one, passes on the first only.
        if let cookie = commit.setCookie { response.headers.prepend(.setCookie, cookie) }
        switch commit.cachePolicy {
        case .none: return
        case .read: cache("private, no-cache", &response)
        case .written: cache("private, no-store", &response)
        }
        if commit.setCookie != nil { response.headers[.cacheControl] = "private, no-store" }
        response.headers[accelExpires] = "0"
        vary(&response)
    }

    /// A handler's own policy stands if it is at least as strict.
    private static func cache(_ policy: String, _ response: inout Response) {
        if let own = response.headers[.cacheControl]?.lowercased() {
            if own.contains("no-store") { return }
            if own.contains("private"), policy != "private, no-store" { return }
        }
        response.headers[.cacheControl] = policy
    }

    private static func vary(_ response: inout Response) {
        guard let own = response.headers[.vary] else {
            response.headers.append(.vary, "Cookie")
            return
        }
        let names = own.lowercased().split(separator: ",").map { $0.drop { $0 == " " } }
        if !names.contains("cookie"), !names.contains("*") { response.headers[.vary] = own + ", Cookie" }
    }
}
