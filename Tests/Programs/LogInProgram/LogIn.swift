import GalletaCommand
import Passwords

struct LogIn {
    let users: PasswordFile
    let throttle = PasswordThrottle()

    /// What the form sends.
    private struct Form: Decodable {
        let name: String
        let password: String
        let next: String?
    }

    func add(to app: Application) {
        app.get("/login") { request, session in
            try Page(request, session).logIn(next: request.query["next"])
        }
        app.post("/login") { [users, throttle] request, session in
            let form = try request.decode(Form.self)
            let credential = try await throttle.attempt(form.name, from: request.remoteAddress) {
                try await users.verify(form.name, form.password)
            }
            guard let credential else {
                let again = HTTPError.Link("Try again", to: request.mount + "/login")
                throw HTTPError(.unauthorized, "This name and password do not match.", link: again)
            }
            try session.logIn(user: credential.user, stamp: credential.stamp)
            return try (try? .redirect(to: form.next ?? "")) ?? .redirect(to: request.mount + "/diary")
        }
        app.post("/logout") { request, session in
            try session.destroy()
            return try .redirect(to: request.mount + "/login")
        }
    }
}
