import GalletaCommand
import Passwords

/// `POST /login`: a name and a password; the session gets a new id and belongs to the user. `POST /logout`: ends it.
struct LogIn: Sendable {
    let users: PasswordFile
    private let throttle = PasswordThrottle()

    init(users: PasswordFile) {
        self.users = users
    }

    func add(to app: Application) {
        app.post("/login") { request, session in
            let fields = try request.form().fields
            let (name, password) = (try fields.require("name"), try fields.require("password"))
            // Too many wrong ones get 429, and who comes while others fill the queue of password checks gets 503.
            let credential = try await throttle.attempt(name, from: request.remoteAddress) {
                try await users.verify(name, password)
            }
            guard let credential else { throw HTTPError(.unauthorized, "this name and password do not match") }
            try session.logIn(user: credential.user, stamp: credential.stamp)
            try session.setFlash("notice", "You are logged in.")
            return try .redirect(to: request.mount + "/")
        }
        app.post("/logout") { request, session in
            try session.destroy()
            return try .redirect(to: request.mount + "/")
        }
    }
}
