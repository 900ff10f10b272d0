internal import Galleta
internal import Glibc

/// The endpoints of the executable, each in its own file.
enum Endpoints {
    /// - Parameter credentials: Checks passwords; without it nobody can log in.
    /// - Throws: `SessionError` for attributes of the session's cookie that no other cookie can have.
    static func add(to application: Application, credentials: (any CredentialVerifier)?) throws {
        let page = HomePage(canLogIn: credentials != nil)
        application.use(SecurityHeaders.step)
        application.onError { error, request in (error as? FormGuard.StaleForm)?.page(for: request) }
        page.add(to: application)
        Hello.add(to: application)
        Counter.add(to: application)
        if let credentials {
            let queue = VerificationQueue(
                workers: application.configuration.workers, processors: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
            let check = LogInCheck(
                credentials: credentials, queue: queue, limiter: GuessLimiter(), logger: application.logger)
            let path = application.configuration.mount.path + Login.path
            let browsers = try KnownBrowsers(path: path, like: application.sessions.cookie)
            Login(check: check, page: page, browsers: browsers).add(to: application)
        }
        Logout.add(to: application)
        UserSessions.add(to: application)
        WhoAmI.add(to: application)
        Ping.add(to: application)
    }
}
