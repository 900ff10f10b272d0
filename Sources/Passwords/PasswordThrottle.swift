public import GalletaPlatform
public import Logging

/// Counts wrong passwords, and says who has to wait before the next try.
///
/// ```swift
/// let credential = try await throttle.attempt(name, from: request.remoteAddress) {
///     try await users.verify(name, password)
/// }
/// ```
///
/// Each wrong password counts for the user name together with the client's network (24 bits of an IPv4 address, 64 of an
/// IPv6 one), for the network, and for the name, in times of ``Limits/period`` that begin with the first.
///
/// Names without a user are counted as all others; a refusal tells nothing.
///
/// The memory is a table of fixed size. A counter without a place takes that of the lowest of four, so a victim's can
/// be driven out only where the three others in its row are as high; rows are chosen by a hash with a random key, so that
/// takes some hundred thousand wrong passwords in ten minutes, each of which costs its check. It belongs to the process.
///
/// Threading: usable from any thread; one for the whole program.
public final class PasswordThrottle: Sendable {
    /// How many wrong passwords there may be in a time.
    public struct Limits: Hashable, Sendable {
        /// Of one name from one network, or from one known browser; 1 to 1,000,000. Default: 10.
        public var perNameAndNetwork = 10
        /// From one network; 1 to 1,000,000. Default: 100.
        public var perNetwork = 100
        /// Of one name; 1 to 1,000,000. Default: 100.
        public var perName = 100
        /// The time in which they count; 1 second to 1 day. Default: 10 minutes.
        public var period = Duration.seconds(600)

        /// The default limits.
        public init() {}

        /// - Throws: `ConfigurationError` that names the limit.
        public func validate() throws(ConfigurationError) {
            let counts = [("perNameAndNetwork", perNameAndNetwork), ("perNetwork", perNetwork), ("perName", perName)]
            for (field, count) in counts where !(1...1_000_000).contains(count) {
                throw ConfigurationError(
                    field: field, reason: "\(count) is not within 1 and 1,000,000", remedy: "give a number between them"
                )
            }
            guard period >= .seconds(1), period <= .seconds(86_400) else {
                throw ConfigurationError(
                    field: "period", reason: "\(period) is not within 1 second and 1 day",
                    remedy: "give a time between them")
            }
        }

        fileprivate func count(_ kind: Kind) -> Int {
            switch kind {
            case .nameAndNetwork: perNameAndNetwork
            case .network: perNetwork
            case .name: perName
            }
        }
    }

    /// What a counter counts for.
    fileprivate enum Kind {
        case nameAndNetwork, network, name
    }

    /// A try that is counted as wrong until it is taken back.
    ///
    /// A browser that has proved to have logged in as the user before is counted by itself, and by nothing else: so others,
    /// however many networks they come from, cannot lock a user out of it.
    package struct Guess: Sendable {
        fileprivate let counters: [(key: Int, kind: Kind)]

        /// - Parameters:
        ///   - user: The name that was given.
        ///   - address: The client's, as the web server says.
        ///   - browser: What a known browser has proved to be; what is not verified would be a way around all limits.
        package init(user: ByteString, address: String, browser: [UInt8]?) {
            if let browser {
                counters = [(Self.key(0, user, browser), .nameAndNetwork)]
                return
            }
            let network = ClientNetwork(address, sixBits: 64)
            counters = [
                (Self.key(1, user, network), .nameAndNetwork), (Self.key(2, network, 0), .network),
                (Self.key(3, user, 0), .name),
            ]
        }

        // Hasher has a key of its own in each process.
        private static func key(_ kind: Int, _ one: some Hashable, _ other: some Hashable) -> Int {
            var hasher = Hasher()
            hasher.combine(kind)
            hasher.combine(one)
            hasher.combine(other)
            return hasher.finalize()
        }
    }

    private struct Counter {
        var key = 0
        var count = 0
        var end = BootInstant(nanoseconds: .min)
    }

    private struct State {
        var limits: Limits
        var table = [Counter](repeating: Counter(), count: rows * ways)
    }

    private static let ways = 4
    private static let rows = 4_096

    private let logger: Logger?
    private let throttle = LogThrottle()
    private let clock: @Sendable () -> BootInstant
    private let state: Locked<State>

    /// With the default limits.
    ///
    /// - Parameter logger: Says, once a minute, that tries were refused, and from where; nil says nothing.
    public convenience init(logger: Logger? = Logger(label: "passwords")) {
        self.init(logger: logger, clock: { .now })
    }

    /// With limits of one's own.
    ///
    /// - Parameters:
    ///   - limits: How many wrong passwords there may be.
    ///   - logger: As in ``init(logger:)``.
    /// - Throws: `ConfigurationError` that names the limit.
    public convenience init(
        limits: Limits, logger: Logger? = Logger(label: "passwords")
    ) throws(ConfigurationError) {
        self.init(logger: logger, clock: { .now })
        try change(to: limits)
    }

    init(logger: Logger? = nil, clock: @escaping @Sendable () -> BootInstant) {
        self.logger = logger
        self.clock = clock
        state = Locked(State(limits: Limits()))
    }

    /// Has other limits count from the next try on. What was counted stays, in the times that have begun.
    ///
    /// - Throws: `ConfigurationError` that names the limit; nothing changes then.
    public func change(to limits: Limits) throws(ConfigurationError) {
        try limits.validate()
        state.withLock { $0.limits = limits }
    }

    /// Makes a try to log in, unless too many were wrong.
    ///
    /// It counts as wrong while it goes on, so that many at once are no way around the limit.
    ///
    /// - Parameters:
    ///   - name: The user name that was given.
    ///   - address: The client's, as the web server says (`Request.remoteAddress`).
    ///   - check: Nil for a wrong password. One that throws was no try, and does not count.
    /// - Throws: ``PasswordError`` of code `throttled`, and what `check` throws.
    public func attempt<Value: Sendable>(
        _ name: String, from address: String, _ check: @Sendable () async throws -> Value?
    ) async throws -> Value? {
        let guess = try begin(name, address)
        return try end(guess, await Self.result { try await check() })
    }

    /// As the form with a value, for a check that says whether the password is the user's.
    ///
    /// - Returns: What `check` returns.
    public func attempt(
        _ name: String, from address: String, _ check: @Sendable () async throws -> Bool
    ) async throws -> Bool {
        let guess = try begin(name, address)
        return try end(guess, await Self.result { try await check() ? () : nil }) != nil
    }

    /// Makes a try to log in, unless too many were wrong; see the `async` form of it.
    ///
    /// - Parameters:
    ///   - name: The user name that was given.
    ///   - address: The client's, as the web server says (`Request.remoteAddress`).
    ///   - check: Nil for a wrong password. One that throws was no try, and does not count.
    /// - Throws: ``PasswordError`` of code `throttled`, and what `check` throws.
    public func attempt<Value>(
        _ name: String, from address: String, _ check: () throws -> Value?
    ) throws -> Value? {
        let guess = try begin(name, address)
        return try end(guess, Result { try check() })
    }

    /// As the form with a value, for a check that says whether the password is the user's.
    ///
    /// - Returns: What `check` returns.
    public func attempt(_ name: String, from address: String, _ check: () throws -> Bool) throws -> Bool {
        let guess = try begin(name, address)
        return try end(guess, Result { try check() ? () : nil }) != nil
    }

    private static func result<Value>(
        _ check: () async throws -> Value?
    ) async -> Result<Value?, any Error> {
        do {
            return .success(try await check())
        } catch {
            return .failure(error)
        }
    }

    private func begin(_ name: String, _ address: String) throws(PasswordError) -> Guess {
        let guess = Guess(user: ByteString(name), address: address, browser: nil)
        guard let wait = take(guess) else { return guess }
        // No name: it may be a password that was typed into the wrong field.
        if let logger, let suppressed = throttle.pass("throttled") {
            logger.notice(
                "log-ins are refused (429) after too many wrong passwords",
                metadata: [
                    "network": "\(ClientNetwork(address, sixBits: 64).name ?? "-")", "suppressed": "\(suppressed)",
                ])
        }
        throw .throttled(wait)
    }

    private func end<Value>(_ guess: Guess, _ result: Result<Value?, any Error>) throws -> Value? {
        if case .success(nil) = result { return nil }
        takeBack(guess)
        return try result.get()
    }

    /// Counts a try as wrong; or else how long to wait before the next, and nothing is counted.
    package func take(_ guess: Guess) -> Duration? {
        let now = clock()
        return state.withLock { state in
            var wait: Duration?
            for (key, kind) in guess.counters {
                guard let place = Self.place(of: key, in: state.table, now),
                    state.table[place].count >= state.limits.count(kind)
                else { continue }
                wait = max(wait ?? .zero, now.duration(to: state.table[place].end))
            }
            guard wait == nil else { return wait }
            for (key, _) in guess.counters {
                if let place = Self.place(of: key, in: state.table, now) {
                    state.table[place].count += 1
                } else {
                    // The lowest; one whose time is over counts nothing.
                    let place = Self.row(of: key).min {
                        Self.count(state.table[$0], now) < Self.count(state.table[$1], now)
                    }!
                    state.table[place] = Counter(key: key, count: 1, end: now.advanced(by: state.limits.period))
                }
            }
            return nil
        }
    }

    /// The try was not wrong, or not made.
    package func takeBack(_ guess: Guess) {
        let now = clock()
        state.withLock { state in
            for (key, _) in guess.counters {
                if let place = Self.place(of: key, in: state.table, now), state.table[place].count > 0 {
                    state.table[place].count -= 1
                }
            }
        }
    }

    private static func row(of key: Int) -> Range<Int> {
        let row = Int(UInt(bitPattern: key) % UInt(rows)) * ways
        return row..<row + ways
    }

    private static func place(of key: Int, in table: [Counter], _ now: BootInstant) -> Int? {
        row(of: key).first { table[$0].key == key && table[$0].end > now }
    }

    private static func count(_ counter: Counter, _ now: BootInstant) -> Int {
        counter.end > now ? counter.count : 0
    }
}
