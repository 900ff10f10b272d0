import GalletaCommand
import Passwords

/// The shop as a program: `Shop --listen tcp:127.0.0.1:9000 --users users --files /srv/shop --photos /var/lib/shop`.
@main
struct ShopCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "shop", abstract: "A shop behind a web server.", discussion: ServerOptions.discussion())

    @OptionGroup var options: ServerOptions
    @Option(help: "File of users and password hashes, as htpasswd -B makes it.") var users: String?
    @Option(help: "Folder of what is served below /static, an absolute path.") var files: String?
    @Option(help: "Folder that photos are kept in.") var photos: String?

    func prepare(_ setup: ServerSetup) throws {
        let (path, field) = try setup.settings.require(users, "users")
        let users = try setup.settings.naming(field) { try PasswordFile(path: path, logger: setup.logger) }
        let files = try setup.settings.require(files, "files").text
        let photos = try setup.settings.require(photos, "photos").text
        // Who gets a new password, or is no user any more, is logged out everywhere.
        setup.sessions.stampCheck = users.isCurrent
        let shop = Shop(users: users, files: files, photos: photos)
        setup.onApplication { app in shop.add(to: app) }
    }

    func routes(_ app: Application) {}
}
