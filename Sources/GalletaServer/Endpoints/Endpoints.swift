internal import Galleta

/// The endpoints of the executable, each in its own file.
enum Endpoints {
    /// - Parameter credentials: Checks passwords; without it nobody can log in.
    static func add(to application: Application, credentials: (any CredentialVerifier)?) {
        let page = HomePage(canLogIn: credentials != nil)
        application.use(SecurityHeaders.step)
        page.add(to: application)
        Hello.add(to: application)
        Counter.add(to: application)
        if let credentials { Login(credentials: credentials, page: page).add(to: application) }
        Logout.add(to: application)
        UserSessions.add(to: application)
        WhoAmI.add(to: application)
        Ping.add(to: application)
    }
}
