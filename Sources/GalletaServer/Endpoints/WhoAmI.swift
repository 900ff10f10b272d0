internal import Galleta

/// `GET /whoami`: who is logged in, as JSON.
enum WhoAmI {
    static func add(to application: Application) {
        application.get("/whoami") { _, session in
            let user = try session.user
            return try .json(["authenticated": .bool(user != nil), "user": user.map { .string($0.string) } ?? .null])
        }
    }
}
