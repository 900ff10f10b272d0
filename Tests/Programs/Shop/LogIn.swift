import Galleta
import Passwords

/// `GET /login`: the form. `POST /login`: the session becomes the user's, under a new id. `POST /logout`: it ends.
struct LogIn {
    let users: PasswordFile
    let throttle = PasswordThrottle()

    private struct Form: Decodable { let name, password: String, next: String? }

    func add(to app: some RouteBuilder) {
        app.get("/login") { request, session in
            try Page(request, session).logIn(next: request.query["next"])
        }
        app.post("/login") { [users, throttle] request, session in
            let form = try request.decode(Form.self)
            // Too many wrong ones get 429, and who comes while the queue of password checks is full gets 503.
            let user = try await throttle.attempt(form.name, from: request.remoteAddress) {
                try await users.verify(form.name, form.password)
            }
            guard let user else {
                let again = HTTPError.Link("Try again", to: request.mount + "/login")
                throw HTTPError(.unauthorized, "This name and password do not match.", link: again)
            }
            try session.logIn(user: user.user, stamp: user.stamp)
            try session.setFlash("notice", "Welcome, \(user.user).")
            // Only a path of this site will do.
            return try (try? .redirect(to: form.next ?? "")) ?? .redirect(to: request.mount + "/")
        }
        app.post("/logout") { request, session in
            try session.destroy()
            return try .redirect(to: request.mount + "/")
        }
    }
}
