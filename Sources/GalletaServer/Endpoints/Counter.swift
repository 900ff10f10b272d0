internal import Galleta

/// The visitor's number, 1 at first, then one more each time; exact under parallel requests.
///
/// `GET /counter` counts and answers with it as text, for programs (HEAD only looks); `POST /counter` is the page's button.
enum Counter {
    static let key: ByteString = "counter"

    static func add(to application: Application) {
        application.get("/counter") { request, session in
            let count = request.method == .head ? try session.get(key, as: Int.self) ?? 0 : try count(session)
            return "\(count)\n"
        }
        application.post("/counter") { request, session in
            try FormGuard.check(request.form(), session)
            _ = try count(session)
            return try .redirect(to: request.mount + "/")
        }
    }

    private static func count(_ session: Session) throws -> Int {
        try session.update(key, default: 0) { (count: inout Int) in
            count += 1
            return count
        }
    }
}
