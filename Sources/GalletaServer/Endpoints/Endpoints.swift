internal import Galleta
internal import Glibc

/// The endpoints of the executable, each in its own file.
enum Endpoints {
    /// - Parameter credentials: Checks passwords; without it nobody can log in.
    static func add(to application: Application, credentials: (any CredentialVerifier)?) {
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
            Login(check: check, page: page, cookie: application.sessions.cookie).add(to: application)
        }
        Logout.add(to: application)
        UserSessions.add(to: application)
        WhoAmI.add(to: application)
        Ping.add(to: application)
    }
}
