internal import Galleta

/// `POST /logout`: ends the session, and leads to the page, which says so.
enum Logout {
    static func add(to application: Application) {
        application.post("/logout") { request, session in
            try FormGuard.check(request.form(), session)
            try session.destroy()
            return try .redirect(to: request.mount + "/?" + HomePage.farewellQuery)
        }
    }
}
