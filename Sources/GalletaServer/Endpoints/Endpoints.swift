internal import Galleta
internal import Passwords

/// The endpoints of the executable, each in its own file.
enum Endpoints {
    static func add(to application: Application) {
        application.use(SecurityHeaders.step)
        application.onError { error, request in (error as? FormGuard.StaleForm)?.page(for: request) }
        Hello.add(to: application)
        Counter.add(to: application)
        Logout.add(to: application)
        UserSessions.add(to: application)
        WhoAmI.add(to: application)
        Ping.add(to: application)
    }

    /// The page, and the log-in if there is anything to log in with.
    ///
    /// - Parameters:
    ///   - credentials: Checks passwords; without it nobody can log in.
    ///   - throttle: Counts wrong ones.
    /// - Throws: `ConfigurationError` for attributes of the session's cookie that no other cookie can have.
    static func addPages(
        to application: Application, credentials: (any CredentialVerifier)?, throttle: PasswordThrottle
    ) throws {
        let page = HomePage(canLogIn: credentials != nil)
        page.add(to: application)
        guard let credentials else { return }
        let check = LogInCheck(
            credentials: credentials,
            passwords: try passwords(workers: application.configuration.workers, logger: application.logger),
            limiter: throttle, logger: application.logger)
        application.addStatus { [counters = check.counters] in counters.status }
        let path = application.configuration.mount.path + Login.path
        let browsers = try KnownBrowsers(path: path, like: application.sessions.cookie)
        Login(check: check, page: page, browsers: browsers).add(to: application)
    }

    /// Log-ins hold at most half the workers, but may hold one: a single worker serves nobody else meanwhile. They take half
    /// the processors.
    private static func passwords(workers: Int, logger: Logger) throws -> Passwords {
        var configuration = Passwords.Configuration()
        configuration.workers = max(1, min(workers / 2, configuration.workers))
        configuration.maximumBlockedThreads = max(1, workers / 2)
        configuration.logger = logger
        return try Passwords(configuration: configuration)
    }
}
