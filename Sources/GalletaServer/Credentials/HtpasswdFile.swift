internal import GalletaPlatform
internal import Glibc
internal import Logging

/// A password file that is read again when it was changed.
///
/// It is looked at once a second at most, when somebody logs in or a user's session is checked. A file that cannot be
/// read, is empty or broken changes nothing: the users of before stay, and the log says why, once a minute.
///
/// Threading: usable from any thread. Each look is one thread's, and the others go on with what there is. A slow look does
/// not hold up the next one, nor a reload: of readings at the same time the one that began last counts.
final class HtpasswdFile: CredentialVerifier {
    /// How old a change must be for the file to be read: one that was made just now may not be whole yet, and users
    /// whose lines are still to be written would be logged out.
    private static let settling = Duration.milliseconds(300)

    private struct State {
        var users: Htpasswd
        /// Of the file as it was last read, whether it could be used or not; nil when it is to be read again.
        var version: PasswordFile.Version?
        var error: HtpasswdError?
        var nextLook: BootInstant
        /// Readings that began, and the one whose result this is: an older one never replaces a newer.
        var begun = 0
        var installed = 0
    }

    private let path: String
    private let interval: Duration
    private let logger: Logger
    private let throttle = LogThrottle()
    private let state: Locked<State>

    /// Reads the file.
    ///
    /// - Parameter interval: How often it is looked at, at most.
    /// - Throws: As ``Htpasswd/init(path:)``.
    init(path: String, logger: Logger, interval: Duration = .seconds(1)) throws(HtpasswdError) {
        self.path = path
        self.interval = interval
        self.logger = logger
        let file = try PasswordFile(path: path)
        let users = try Htpasswd(bytes: file.bytes, path: path, isWorldReadable: file.isWorldReadable)
        let version = Self.isSettled(file.version) ? file.version : nil
        state = Locked(State(users: users, version: version, nextLook: .now.advanced(by: interval)))
    }

    func verify(user: ByteString, password: ByteString) -> Credential? {
        users.verify(user: user, password: password)
    }

    func credential(of user: ByteString) -> Credential? {
        users.credential(of: user)
    }

    var maxPasswordBytes: Int { users.maxPasswordBytes }

    /// Every local user may read the file, as of the last look.
    var isWorldReadable: Bool { users.isWorldReadable }

    /// Reads the file now, changed or not.
    ///
    /// - Throws: As ``Htpasswd/init(path:)``; the users of before stay then, and it is the caller's to say so.
    func reload() throws(HtpasswdError) {
        try read()
    }

    /// The users as of the last look, which is a second old at most.
    private var users: Htpasswd {
        let now = BootInstant.now
        let (isDue, users) = state.withLock { state in
            let isDue = now >= state.nextLook
            if isDue { state.nextLook = now.advanced(by: interval) }
            return (isDue, state.users)
        }
        guard isDue else { return users }
        look()
        return state.withLock { $0.users }
    }

    private func look() {
        let found = PasswordFile.Version(path: path)
        let (isKnown, error) = state.withLock { ($0.version != nil && $0.version == found, $0.error) }
        if isKnown {
            if let error { report(error, isNew: false) }
        } else if found.map(Self.isSettled) ?? true {
            do throws(HtpasswdError) {
                try read()
            } catch let failure {
                report(failure, isNew: failure != error)
            }
        }
    }

    private func read() throws(HtpasswdError) {
        let number = state.withLock { state in
            state.begun += 1
            return state.begun
        }
        var version: PasswordFile.Version?
        let result: Result<Htpasswd, HtpasswdError>
        do throws(HtpasswdError) {
            let file = try PasswordFile(path: path)
            if Self.isSettled(file.version) { version = file.version }
            result = .success(try Htpasswd(bytes: file.bytes, path: path, isWorldReadable: file.isWorldReadable))
        } catch {
            result = .failure(error)
        }
        state.withLock { state in
            guard number > state.installed else { return }
            state.installed = number
            state.version = version
            switch result {
            case .success(let users): (state.users, state.error) = (users, nil)
            case .failure(let error): state.error = error
            }
        }
        switch result {
        case .success(let users):
            logger.notice("the password file was read again", metadata: ["users": "\(users.count)"])
        case .failure(let error):
            throw error
        }
    }

    private func report(_ error: HtpasswdError, isNew: Bool) {
        let suppressed = throttle.pass("error")
        guard isNew || suppressed != nil else { return }
        logger.error(
            "the password file cannot be used; the users of before stay: \(error)",
            metadata: ["suppressed": "\(suppressed ?? 0)"])
    }

    /// False for a file that was changed just now by the wall clock. One of the future was not.
    private static func isSettled(_ version: PasswordFile.Version) -> Bool {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let age = Int64(nanosecondsOf: now.tv_sec, now.tv_nsec).subtractingSaturated(version.nanoseconds)
        return age.magnitude >= settling.nanoseconds.magnitude
    }
}
