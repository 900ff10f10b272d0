internal import Galleta

/// `POST /login`: user name and password; the session gets a new id and belongs to the user.
struct Login: Sendable {
    let credentials: any CredentialVerifier

    func add(to application: Application) {
        application.post("/login") { request, session in
            let form = try request.form()
            try FormGuard.check(form, session)
            let user = form.fields["username"] ?? ""
            guard credentials.verify(user: user, password: form.fields["password"] ?? "") else {
                return try HomePage.response(
                    request, session, status: .unauthorized, message: "This user name and password do not match.")
            }
            try session.logIn(user: user, client: request.header(.userAgent))
            try Notice.leave("You are logged in.", in: session)
            return .redirect(to: request.mount + "/")
        }
    }
}
