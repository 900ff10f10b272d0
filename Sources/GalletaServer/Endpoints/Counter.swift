internal import Galleta

/// The visitor's number, 1 at first, then one more each time; exact under parallel requests.
///
/// `GET /counter` counts and answers with it as text, for programs (HEAD only looks); `POST /counter` is the page's button.
enum Counter {
    static let key: ByteString = "counter"

    static func add(to application: Application) {
        application.on(.get, "/counter") { request, session in
            "\(request.method == .head ? try look(session) : try count(session))\n"
        } async: { request, session in
            "\(request.method == .head ? try look(session) : try await count(session))\n"
        }
        application.on(.post, "/counter") { request, session in
            try FormGuard.check(request.form(), session)
            _ = try count(session)
            return try .redirect(to: request.mount + "/")
        } async: { request, session in
            try FormGuard.check(request.form(), session)
            _ = try await count(session)
            return try .redirect(to: request.mount + "/")
        }
    }

    private static func look(_ session: Session) throws -> Int { try session.get(key, as: Int.self) ?? 0 }

    private static func count(_ session: Session) throws -> Int {
        try session.update(key, default: 0) { next(&$0) }
    }

    private static func count(_ session: Session) async throws -> Int {
        try await session.update(key, default: 0) { next(&$0) }
    }

    private static func next(_ count: inout Int) -> Int {
        count += 1
        return count
    }
}
