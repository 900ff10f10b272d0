internal import Galleta

/// `GET /whoami`: who is logged in, as JSON.
enum WhoAmI {
    private struct Answer: Encodable {
        let authenticated: Bool
        let user: String?
    }

    static func add(to application: Application) {
        application.get("/whoami") { _, session in
            let user = try session.user
            return try .json(Answer(authenticated: user != nil, user: user))
        }
    }
}
