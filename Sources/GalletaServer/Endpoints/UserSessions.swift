internal import Galleta

/// `POST /sessions/end` and `POST /sessions/end-others`: log out there, and everywhere else.
enum UserSessions {
    /// Name of the hidden field that says which session.
    static let field: ByteString = "session"

    static func add(to application: Application) {
        application.post("/sessions/end") { request, session in
            let form = try request.form()
            try FormGuard.check(form, session)
            guard try session.user != nil else { throw HTTPError(.forbidden, "log in first") }
            let isEnded = try session.endUserSession(SessionReference(rawValue: form.fields[field] ?? ""))
            try Notice.leave(isEnded ? "That session is logged out." : "That session had ended already.", in: session)
            return try .redirect(to: request.mount + "/")
        }
        application.post("/sessions/end-others") { request, session in
            try FormGuard.check(request.form(), session)
            guard try session.user != nil else { throw HTTPError(.forbidden, "log in first") }
            let count = try session.endOtherUserSessions()
            try Notice.leave(
                count == 0
                    ? "You were logged in nowhere else."
                    : "Logged out of \(count) other session\(count == 1 ? "" : "s").", in: session)
            return try .redirect(to: request.mount + "/")
        }
    }
}
