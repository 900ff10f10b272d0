import GalletaCommand
import Passwords

@main
struct Program: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "TEMPLATE", abstract: "TEMPLATE, behind a web server.", discussion: ServerOptions.discussion(),
        subcommands: [ControlCommand.self])

    @OptionGroup var options: ServerOptions

    @Option(help: "File of user names and password hashes, as htpasswd -B makes it. (default: nobody can log in)")
    var users: String?

    func prepare(_ setup: ServerSetup) throws {
        guard let (path, field) = setup.settings.text(users, "users") else { return }
        let users = try setup.settings.naming(field) { try PasswordFile(path: path, logger: setup.logger) }
        // Who has a new password, or is no user any more, is logged out everywhere.
        setup.sessions.stampCheck = users.isCurrent
        setup.onApplication { app in LogIn(users: users).add(to: app) }
    }

    func routes(_ app: Application) {
        // Of what a page of another site has made a browser send, nothing is done.
        app.use(.requireCSRF())
        Notes.add(to: app)
    }
}
