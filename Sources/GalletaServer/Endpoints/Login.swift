internal import Galleta

/// `POST /login`: user name and password; the session gets a new id and belongs to the user. `GET /login`: the form.
struct Login: Sendable {
    let credentials: any CredentialVerifier
    let page: HomePage

    func add(to application: Application) {
        application.get("/login") { request, session in
            try session.user == nil ? try page.response(request, session) : .redirect(to: request.mount + "/")
        }
        application.post("/login") { request, session in
            let form = try request.form()
            try FormGuard.check(form, session)
            let user = form.fields["username"] ?? ""
            guard credentials.verify(user: user, password: form.fields["password"] ?? "") else {
                return try page.response(
                    request, session, status: .unauthorized, message: "This user name and password do not match.",
                    userName: user)
            }
            try session.logIn(user: user, client: ClientName.of(request))
            try Notice.leave("You are logged in.", in: session)
            return .redirect(to: request.mount + "/")
        }
    }
}
