internal import Galleta

/// `GET /ping`: for monitors.
enum Ping {
    static func add(to application: Application) {
        application.get("/ping") { _, _ in "pong\n" }
    }
}
