import GalletaCommand
import Passwords

@main
struct Diary: ServerCommand {
    @OptionGroup var options: ServerOptions
    @Option(help: "File of users and password hashes, as htpasswd -B makes it.") var users: String?

    func prepare(_ setup: ServerSetup) throws {
        let (path, field) = try setup.settings.require(users, "users")
        let users = try setup.settings.naming(field) { try PasswordFile(path: path, logger: setup.logger) }
        // Who gets a new password, or is no user any more, is logged out everywhere.
        setup.sessions.stampCheck = users.isCurrent
        setup.onApplication { app in LogIn(users: users).add(to: app) }
    }

    func routes(_ app: Application) {
        app.use(.requireCSRF())
        app.get("/") { request, _ in
            try .redirect(to: request.mount + "/diary")
        }
        app.group("/diary") { diary in
            diary.use(.requireUser(logInAt: "/login"))
            diary.get("/") { request, session in
                try Page(request, session).diary()
            }
        }
    }
}
