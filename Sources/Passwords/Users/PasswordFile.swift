public import GalletaPlatform
internal import Glibc
public import Logging

/// The users and password hashes of a file in htpasswd's format, which is read again when it was changed.
///
/// ```swift
/// let users = try PasswordFile(path: "/etc/app/htpasswd")
/// if let credential = try await users.verify(name, password) {
///     try session.logIn(user: credential.user, stamp: credential.stamp)
/// }
/// configuration.stampCheck = users.isCurrent
/// ```
///
/// A line is `user:hash`; what follows a second colon is a comment, as are lines that begin with `#`. Hashes are those that
/// ``PasswordHash`` takes, such as `htpasswd -B`, `mkpasswd` and `openssl passwd -6` make; a file with others is refused.
///
/// It is looked at once a second at most, when somebody logs in or a user's session is checked. A file that cannot be
/// read, is empty or broken changes nothing: the users of before stay, and the log says why, once a minute.
///
/// Threading: usable from any thread. Each look is one thread's, and the others go on with what there is. A slow look does
/// not hold up the next one, nor a reload: of readings at the same time the one that began last counts.
public final class PasswordFile: Sendable {
    /// How old a change must be for the file to be read: one that was made just now may not be whole yet, and users
    /// whose lines are still to be written would be logged out.
    private static let settling = Duration.milliseconds(300)

    private struct State {
        var users: Htpasswd
        /// Of the file as it was last read, whether it could be used or not; nil when it is to be read again.
        var version: FileContent.Version?
        var error: ConfigurationError?
        var nextLook: BootInstant
        /// Readings that began, and the one whose result this is: an older one never replaces a newer.
        var begun = 0
        var installed = 0
    }

    private let path: String
    private let passwords: Passwords
    private let interval: Duration
    private let logger: Logger
    private let throttle = LogThrottle()
    private let state: Locked<State>

    /// Reads the file.
    ///
    /// - Parameters:
    ///   - path: Of the file.
    ///   - passwords: Where passwords are hashed; nil for an own one with the defaults.
    ///   - logger: Says that the file was read again, and why not.
    /// - Throws: `ConfigurationError` for a file that is missing, not readable, over 1 MiB or without users, and for the
    ///   first line that is not as it must be; it names the line, and holds no hash.
    public convenience init(
        path: String, passwords: Passwords? = nil, logger: Logger = Logger(label: "passwords")
    ) throws(ConfigurationError) {
        let passwords = if let passwords { passwords } else { try Passwords() }
        try self.init(path: path, passwords: passwords, logger: logger, interval: .seconds(1))
    }

    /// - Parameter interval: How often the file is looked at, at most.
    init(path: String, passwords: Passwords, logger: Logger, interval: Duration) throws(ConfigurationError) {
        self.passwords = passwords
        self.path = path
        self.interval = interval
        self.logger = logger
        let file = try FileContent(path: path)
        let users = try Htpasswd(bytes: file.bytes, path: path, isWorldReadable: file.isWorldReadable)
        let version = Self.isSettled(file.version) ? file.version : nil
        state = Locked(State(users: users, version: version, nextLook: .now.advanced(by: interval)))
    }

    // MARK: Users

    /// The user's credential if the password is this user's, else nil; holds no thread meanwhile.
    ///
    /// The password is hashed once with each kind and cost that the file has, for a user who does not exist, too: so the
    /// time tells neither who exists nor whose hash is of which kind.
    ///
    /// - Parameters:
    ///   - user: The name that was given.
    ///   - password: The password that was given; over ``maxPasswordBytes`` it is nobody's, and not looked at.
    ///   - isKnown: It goes before others, as with `Passwords.verify`.
    /// - Throws: ``PasswordError`` of code `busy`; `CancellationError` when the task is cancelled while it waits.
    public func verify(_ user: String, _ password: String, isKnown: Bool = false) async throws -> Credential? {
        try await passwords.run(isKnown: isKnown, verification(user, password))
    }

    /// The user's credential if the password is this user's, else nil; holds the calling thread meanwhile.
    ///
    /// The password is hashed once with each kind and cost that the file has, for a user who does not exist, too: so the
    /// time tells neither who exists nor whose hash is of which kind.
    ///
    /// - Parameters:
    ///   - user: The name that was given.
    ///   - password: The password that was given; over ``maxPasswordBytes`` it is nobody's, and not looked at.
    ///   - isKnown: It goes before others, as with `Passwords.verify`.
    /// - Throws: ``PasswordError`` of code `busy`.
    public func verify(
        _ user: String, _ password: String, isKnown: Bool = false
    ) throws(PasswordError) -> Credential? {
        try passwords.run(isKnown: isKnown, verification(user, password))
    }

    private func verification(_ user: String, _ password: String) -> @Sendable () -> Credential? {
        { [self] in verify(user: ByteString(user), password: ByteString(password)) }
    }

    /// As ``verify(_:_:isKnown:)-(String,String,Bool)``, on the calling thread and at once.
    package func verify(user: ByteString, password: ByteString) -> Credential? {
        users.verify(user: user, password: password)
    }

    /// The user's credential as it is now; nil for a user who does not exist.
    public func credential(of user: ByteString) -> Credential? {
        users.credential(of: user)
    }

    /// Whether a session that began with this stamp (``Credential/stamp``) may go on: its user exists, with the password of then.
    ///
    /// For `SessionConfiguration.stampCheck`: who gets a new password, or is no user any more, is logged out everywhere.
    ///
    /// - Parameters:
    ///   - user: The session's user.
    ///   - stamp: What the log-in was told; nil, as of a log-in without, is nobody's.
    public func isCurrent(_ user: ByteString, _ stamp: [UInt8]?) -> Bool {
        guard let stamp else { return false }
        return users.credential(of: user)?.stamp == stamp
    }

    /// How many users the file has, as of the last look; at least 1.
    public var count: Int { users.count }

    /// The longest password in bytes that any of its users can have: 72 while one has a bcrypt hash, else 511.
    public var maxPasswordBytes: Int { users.maxPasswordBytes }

    /// Every local user may read the file, as of the last look, and try passwords on the hashes at leisure.
    public var isWorldReadable: Bool { users.isWorldReadable }

    // MARK: Reading

    /// Reads the file now, changed or not.
    ///
    /// - Throws: As ``init(path:passwords:logger:)``; the users of before stay then, and it is the caller's to say so.
    public func reload() throws(ConfigurationError) {
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
        let found = FileContent.Version(path: path)
        let (isKnown, error) = state.withLock { ($0.version != nil && $0.version == found, $0.error) }
        if isKnown {
            if let error { report(error, isNew: false) }
        } else if found.map(Self.isSettled) ?? true {
            do throws(ConfigurationError) {
                try read()
            } catch let failure {
                report(failure, isNew: failure != error)
            }
        }
    }

    private func read() throws(ConfigurationError) {
        let number = state.withLock { state in
            state.begun += 1
            return state.begun
        }
        var version: FileContent.Version?
        let result: Result<Htpasswd, ConfigurationError>
        do throws(ConfigurationError) {
            let file = try FileContent(path: path)
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

    private func report(_ error: ConfigurationError, isNew: Bool) {
        let suppressed = throttle.pass("error")
        guard isNew || suppressed != nil else { return }
        logger.error(
            "the password file cannot be used; the users of before stay: \(error.reason); \(error.remedy)",
            metadata: ["suppressed": "\(suppressed ?? 0)"])
    }

    /// False for a file that was changed just now by the wall clock. One of the future was not.
    private static func isSettled(_ version: FileContent.Version) -> Bool {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let age = Int64(nanosecondsOf: now.tv_sec, now.tv_nsec).subtractingSaturated(version.nanoseconds)
        return age.magnitude >= settling.nanoseconds.magnitude
    }
}
