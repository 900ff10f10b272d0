public import GalletaPlatform
internal import Glibc
public import Logging

/// Hashes and verifies passwords, which takes processors for long on purpose, on a few threads of its own.
///
/// ```swift
/// let passwords = try Passwords()
/// let hash = try await passwords.hash("correct horse")  // keep hash.text
/// if try await passwords.verify("correct horse", hash) { … }
/// ```
///
/// At most ``Configuration/workers`` passwords are hashed at a time, others wait for their turn, and who finds too many
/// waiting is refused with ``PasswordError/Code/busy``: so a crowd at the log-in does not take the machine from everybody
/// else. The `async` methods hold no thread of the caller's meanwhile; a task that is cancelled while it waits leaves the
/// queue. The others hold the caller's thread, and of those fewer may wait (``Configuration/maximumBlockedThreads``).
///
/// Behind a step of an `Application` that is not `async` an `async` handler holds its worker, too: use the others there.
///
/// A thread begins when there is something to hash and ends when there is not: there is nothing to close.
///
/// Threading: usable from any thread; one for the whole program.
public final class Passwords: Sendable {
    /// How passwords are hashed, and how many at a time.
    public struct Configuration: Sendable {
        /// How new passwords are hashed. Default: yescrypt at cost 5.
        public var algorithm = PasswordAlgorithm.yescrypt()
        /// How many passwords are hashed at a time, 1 to 64. Default: half the processors, at least 1.
        public var workers = max(1, Passwords.processors / 2)
        /// How many may wait for their turn, 0 to 100,000. Default: 64.
        public var maximumWaiting = 64
        /// How many callers of the methods that are not `async` may be there at a time, 1 to 1,000: each holds its thread,
        /// so at most half the server's. Default: as many as processors, at least 2, which is half of
        /// `Server.Configuration.workers`.
        public var maximumBlockedThreads = max(2, Passwords.processors)
        /// How long one waits for its turn, up to 10 minutes; it is looked at when somebody comes and when a turn comes.
        /// Default: 10 seconds.
        public var timeout = Duration.seconds(10)
        /// Says, once a minute, that passwords were refused.
        public var logger = Logger(label: "passwords")

        /// The defaults.
        public init() {}

        func validate() throws(ConfigurationError) {
            try algorithm.validate()
            try Self.check(workers, in: 1...64, "workers")
            try Self.check(maximumWaiting, in: 0...100_000, "maximumWaiting")
            try Self.check(maximumBlockedThreads, in: 1...1_000, "maximumBlockedThreads")
            guard timeout >= .zero, timeout <= .seconds(600) else {
                throw ConfigurationError(
                    field: "timeout", reason: "\(timeout) is not within 0 and 10 minutes",
                    remedy: "give a duration within")
            }
        }

        private static func check(
            _ value: Int, in range: ClosedRange<Int>, _ field: String
        ) throws(ConfigurationError) {
            guard !range.contains(value) else { return }
            throw ConfigurationError(
                field: field, reason: "\(value) is not within \(range.lowerBound) and \(range.upperBound)",
                remedy: "give a number within")
        }
    }

    /// As it was given.
    public let configuration: Configuration
    private let queue: HashingQueue
    private let throttle = LogThrottle()

    /// - Parameter configuration: How passwords are hashed, and how many at a time.
    /// - Throws: `ConfigurationError` that names the field.
    public init(configuration: Configuration = Configuration()) throws(ConfigurationError) {
        try configuration.validate()
        self.configuration = configuration
        queue = HashingQueue(
            HashingQueue.Limits(
                workers: configuration.workers, waiting: configuration.maximumWaiting,
                blocked: configuration.maximumBlockedThreads, timeout: configuration.timeout))
    }

    // MARK: Hashing

    /// The hash of a new password, with a salt of its own; holds no thread meanwhile.
    ///
    /// - Throws: ``PasswordError`` of code `unfit` for a password that the algorithm cannot take, `busy`, or `failed`;
    ///   `CancellationError` when the task is cancelled while it waits.
    public func hash(_ password: String) async throws -> PasswordHash {
        let password = try fit(password)
        return try await run(isKnown: false) { [configuration] in
            PasswordHash.make(password, configuration.algorithm)
        }.get()
    }

    /// The hash of a new password, with a salt of its own; holds the calling thread meanwhile.
    ///
    /// - Throws: ``PasswordError`` of code `unfit` for a password that the algorithm cannot take, `busy`, or `failed`.
    public func hash(_ password: String) throws(PasswordError) -> PasswordHash {
        let password = try fit(password)
        return try run(isKnown: false) { [configuration] in
            PasswordHash.make(password, configuration.algorithm)
        }.get()
    }

    /// Whether the password has this hash; holds no thread meanwhile.
    ///
    /// - Parameters:
    ///   - password: What a visitor has given. False for one that no user of this hash's kind can have.
    ///   - hash: The user's; nil where there is no such user: then it takes as long as it would with a hash by the
    ///     configured algorithm, and is false, so that the time does not tell who exists.
    ///   - isKnown: It is for a browser that has logged in as this user before: it goes before those that have not, and
    ///     takes the place of the last of them who waits where there is no other.
    /// - Throws: ``PasswordError`` of code `busy`; `CancellationError` when the task is cancelled while it waits.
    public func verify(_ password: String, _ hash: PasswordHash?, isKnown: Bool = false) async throws -> Bool {
        try await run(isKnown: isKnown, verification(ByteString(password), hash))
    }

    /// Whether the password has this hash; holds the calling thread meanwhile.
    ///
    /// - Parameters:
    ///   - password: What a visitor has given. False for one that no user of this hash's kind can have.
    ///   - hash: The user's; nil where there is no such user: then it takes as long as it would with a hash by the
    ///     configured algorithm, and is false, so that the time does not tell who exists.
    ///   - isKnown: It is for a browser that has logged in as this user before: it goes before those that have not, and
    ///     takes the place of the last of them who waits where there is no other.
    /// - Throws: ``PasswordError`` of code `busy`.
    public func verify(
        _ password: String, _ hash: PasswordHash?, isKnown: Bool = false
    ) throws(PasswordError) -> Bool {
        try run(isKnown: isKnown, verification(ByteString(password), hash))
    }

    /// Whether the hash is of another kind or cost than new ones: hash the password anew after a log-in, and keep that.
    ///
    /// Until all are alike, the time of a wrong password tells whose hash is of an old kind.
    public func needsRehash(_ hash: PasswordHash) -> Bool {
        !hash.isMade(by: configuration.algorithm)
    }

    private func fit(_ password: String) throws(PasswordError) -> ByteString {
        let longest = configuration.algorithm.maxPasswordBytes
        guard password.utf8.count <= longest, !password.utf8.contains(0) else { throw .unfit(maxBytes: longest) }
        return ByteString(password)
    }

    func verification(_ password: ByteString, _ hash: PasswordHash?) -> @Sendable () -> Bool {
        { [algorithm = configuration.algorithm] in
            guard let hash else {
                _ = PasswordHash.make(password, algorithm)
                return false
            }
            return hash.matches(password)
        }
    }

    // MARK: The queue

    /// Runs `body`, which hashes, when it is its turn; holds no thread meanwhile.
    package func run<Result: Sendable>(
        isKnown: Bool, _ body: @escaping @Sendable () -> Result
    ) async throws -> Result {
        do {
            return try await queue.run(isKnown: isKnown, body)
        } catch let error as PasswordError {
            report(error)
            throw error
        }
    }

    /// Runs `body`, which hashes, when it is its turn; holds the calling thread meanwhile.
    package func run<Result: Sendable>(
        isKnown: Bool, _ body: @escaping @Sendable () -> Result
    ) throws(PasswordError) -> Result {
        do {
            return try queue.run(isKnown: isKnown, body)
        } catch {
            report(error)
            throw error
        }
    }

    private func report(_ error: PasswordError) {
        guard error.code == .busy, let suppressed = throttle.pass("busy") else { return }
        configuration.logger.notice(
            "passwords are refused (503): as many are hashed and wait for it as may at a time",
            metadata: ["suppressed": "\(suppressed)"])
    }

    static let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}
