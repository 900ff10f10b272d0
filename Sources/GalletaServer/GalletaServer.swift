internal import Galleta
internal import GalletaCommand
internal import Passwords

@main
struct GalletaServer: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "galleta-server",
        abstract: "Session-aware FastCGI endpoints behind nginx, Apache, lighttpd or Caddy.",
        discussion: ServerOptions.discussion(),
        version: "0.1.0",
        subcommands: [ControlCommand.self]
    )

    @OptionGroup var options: ServerOptions

    @Option(
        help: """
            File of user names and password hashes, as htpasswd -B makes it; read again when it changes. (default: \
            nobody can log in)
            """)
    var htpasswd: String?

    @Flag(help: "Let a user \"demo\" log in, whose password is new at each start and stands in the log.")
    var demo = false

    @Option(
        help: """
            Wrong passwords of one name from one network, as 10/10m, and ten times as many of one name or from one network; \
            more get 429. (default: 10/10m)
            """)
    var wrongPasswords: String?

    func prepare(_ setup: ServerSetup) throws {
        let credentials = try credentials(setup)
        let throttle = try throttle(setup)
        let isShared = setup.providerName == "php"
        setup.sessions.stampCheck = { user, stamp in
            // Who has logged in on a page of PHP's has no credential here.
            guard let stamp else { return isShared }
            guard let credential = credentials?.credential(of: user) else { return false }
            return ConstantTime.isEqual(stamp, credential.stamp)
        }
        setup.onApplication { try Endpoints.addPages(to: $0, credentials: credentials, throttle: throttle) }
    }

    func routes(_ app: Application) {
        Endpoints.add(to: app)
    }

    /// Counts wrong passwords, by limits that can change.
    private func throttle(_ setup: ServerSetup) throws -> PasswordThrottle {
        let throttle = PasswordThrottle(logger: nil)
        try throttle.change(to: Self.limits(wrongPasswords, setup.settings))
        setup.onChange(of: "wrong-passwords") { [wrongPasswords] settings in
            let limits = try Self.limits(wrongPasswords, settings)
            // They are valid.
            return { try? throttle.change(to: limits) }
        }
        return throttle
    }

    private static func limits(_ option: String?, _ settings: SettingReader) throws -> PasswordThrottle.Limits {
        var limits = PasswordThrottle.Limits()
        guard let (count, period) = try settings.rate(option, "wrong-passwords", example: "10/10m") else {
            return limits
        }
        let field = settings.field(of: "wrong-passwords")
        guard (1...100_000).contains(count) else {
            throw ConfigurationError(
                field: field, reason: "\(count) is not within 1 and 100,000", remedy: "give a number between them")
        }
        limits.perNameAndNetwork = count
        (limits.perNetwork, limits.perName) = (10 * count, 10 * count)
        limits.period = period
        try settings.naming(field) { try limits.validate() }
        return limits
    }

    /// Nil: nobody can log in.
    private func credentials(_ setup: ServerSetup) throws -> (any CredentialVerifier)? {
        let isDemo = try setup.settings.flag(demo ? true : nil, "demo", default: false)
        guard let (path, field) = setup.settings.text(htpasswd, "htpasswd") else {
            return isDemo ? demoUser(setup) : nil
        }
        guard !isDemo else {
            throw ConfigurationError(
                field: setup.settings.field(of: "demo"),
                reason: "there is a password file already (\(field))",
                remedy: "leave out one of them"
            )
        }
        return try passwordFile(path, field, setup)
    }

    private func passwordFile(_ path: String, _ field: String, _ setup: ServerSetup) throws -> PasswordFile {
        let (settings, logger) = (setup.settings, setup.logger)
        let file = try settings.naming(field) { try PasswordFile(path: path, logger: logger) }
        if file.isWorldReadable {
            logger.warning("every local user can read the password hashes in \(path); run chmod o-r \(path)")
        }
        if setup.server.workers == 1 {
            logger.notice(
                """
                with \(settings.field(of: "workers")) 1 nobody is answered while a password is checked; give at least 2 to \
                go on meanwhile
                """)
        }
        setup.onApplication { app in
            app.onReload {
                do throws(ConfigurationError) {
                    try file.reload()
                } catch {
                    throw ConfigurationError(field: field, reason: error.reason, remedy: error.remedy)
                }
            }
        }
        return file
    }

    private func demoUser(_ setup: ServerSetup) -> DemoUser {
        let user = DemoUser()
        guard !setup.isTrial else { return user }
        if !setup.areSessionsLocalToProcess {
            setup.logger.warning(
                """
                the demo user has another password in each process, and its sessions end where another one sees them; give \
                all processes one htpasswd file
                """)
        }
        setup.logger.notice("log in as \"\(user.name)\" with the password \"\(user.password)\"")
        return user
    }
}
