internal import Galleta

/// The endpoints of the executable, each in its own file.
enum Endpoints {
    static func add(to application: Application, credentials: any CredentialVerifier) {
        application.use(SecurityHeaders.step)
        HomePage.add(to: application)
        Hello.add(to: application)
        Counter.add(to: application)
        Login(credentials: credentials).add(to: application)
        Logout.add(to: application)
        UserSessions.add(to: application)
        WhoAmI.add(to: application)
        Ping.add(to: application)
    }
}
