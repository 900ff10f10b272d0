internal import Galleta

/// `GET /hello`: text, no session; what a page costs that needs none.
enum Hello {
    static func add(to application: Application) {
        application.get("/hello") { _, _ in "Hello from Galleta\n" }
    }
}
