internal import GalletaPlatform
internal import Glibc
internal import Sessions

/// What the cases are written with: short calls, durations in the fixture's seconds, checks that throw.
struct ConformanceStore: Sendable {
    let fixture: ConformanceFixture

    init(_ fixture: ConformanceFixture) {
        self.fixture = fixture
    }

    var provider: any SessionProvider { fixture.provider }

    /// The provider's index of users.
    ///
    /// - Throws: Never in a case that needs `.users`.
    var users: any UserIndexedProvider {
        get throws {
            guard let users = provider as? any UserIndexedProvider else {
                throw ConformanceFailure("the provider has no index of users")
            }
            return users
        }
    }

    /// An id that nobody has.
    func freshID() -> SessionID { provider.idFormat.draw() }

    /// How many sessions there must be, by the statistics of a provider that counts them.
    func expectCount(_ wanted: Int) throws {
        guard let sessions = try provider.statistics().sessions else { return }
        try expectEqual(sessions, wanted, "the number of sessions")
    }

    /// So many seconds of the fixture.
    ///
    /// - Parameter count: With at most two decimals; floating-point durations would not be exact.
    func seconds(_ count: Double) -> Duration { fixture.second * Int((count * 100).rounded()) / 100 }

    func advance(_ count: Double) throws {
        try fixture.advance(seconds(count))
    }

    // MARK: Sessions

    func draft(
        _ values: [ByteString: SessionValue] = ["k": "v"], user: ByteString? = nil, idle: Double = 100,
        absolute: Double = 1_000
    ) throws -> SessionDraft {
        var all = values.sorted { $0.key < $1.key }.map { (SessionKey($0.key), $0.value) }
        if let user { all.append((.user, .name(user))) }
        return SessionDraft(
            values: try SessionValues(all), idleTimeout: seconds(idle), absoluteTimeout: seconds(absolute))
    }

    /// A new session; its id.
    @discardableResult
    func create(
        _ values: [ByteString: SessionValue] = ["k": "v"], user: ByteString? = nil, idle: Double = 100,
        absolute: Double = 1_000
    ) throws -> SessionID {
        let id = freshID()
        guard case .created = try provider.create(id, draft(values, user: user, idle: idle, absolute: absolute)) else {
            throw ConformanceFailure("a session under a fresh random id was not created")
        }
        return id
    }

    /// The record, which must be there.
    func record(_ id: SessionID, _ what: String = "the session") throws -> SessionRecord {
        guard let record = try provider.read(id) else { throw ConformanceFailure("\(what) is not there") }
        return record
    }

    func value(_ id: SessionID, _ key: ByteString = "k") throws -> SessionValue? {
        try record(id).values[key]
    }

    func isThere(_ id: SessionID) throws -> Bool {
        try provider.read(id) != nil
    }

    func expectGone(_ id: SessionID, _ what: String = "the session") throws {
        try expect(provider.read(id) == nil, "\(what) is still there")
    }

    // MARK: Commits

    func patch(_ values: [ByteString: SessionValue] = [:], removing keys: [ByteString] = []) throws -> SessionPatch {
        var patch = SessionPatch()
        for (key, value) in values.sorted(by: { $0.key < $1.key }) { try patch.set(value, for: SessionKey(key)) }
        for key in keys { patch.remove(SessionKey(key)) }
        return patch
    }

    /// A commit that must succeed; the version after it.
    @discardableResult
    func commit(_ patch: SessionPatch, to id: SessionID, expecting version: UInt64? = nil) throws -> UInt64 {
        let outcome = try provider.commit(patch, to: id, expecting: version)
        guard case .committed(let version, _, _) = outcome else {
            throw ConformanceFailure("a commit was not made: \(name(outcome))")
        }
        return version
    }

    @discardableResult
    func set(_ key: ByteString, _ value: SessionValue, in id: SessionID) throws -> UInt64 {
        try commit(patch([key: value]), to: id)
    }

    func logIn(_ user: ByteString?, _ id: SessionID) throws {
        var patch = SessionPatch()
        if let user { try patch.set(.name(user), for: .user) } else { patch.remove(.user) }
        try commit(patch, to: id)
    }

    /// All of a user's sessions; none of a provider without an index of users.
    func list(_ user: ByteString, current id: SessionID? = nil) throws -> [UserSession] {
        guard let users = provider as? any UserIndexedProvider else { return [] }
        return try users.sessions(of: user, current: id, limit: .max).sessions
    }

    /// Ends all of a user's sessions but one; how many there were.
    @discardableResult
    func endAll(_ user: ByteString, except id: SessionID? = nil) throws -> Int {
        try users.destroySessions(of: user, except: id, keeping: 0)
    }

    func name(_ outcome: SessionCommitOutcome) -> String {
        switch outcome {
        case .committed: "committed"
        case .emptied: "emptied"
        case .conflict: "conflict"
        case .gone: "gone"
        case .overLimit: "over the limit"
        }
    }

    func expectGone(_ outcome: SessionCommitOutcome, _ what: String) throws {
        guard case .gone = outcome else { throw ConformanceFailure("\(what) is \(name(outcome)), wanted gone") }
    }

    func expectGone(_ outcome: SessionTouch, _ what: String) throws {
        try expectEqual(outcome, .gone, what)
    }

    func expectGone(_ outcome: SessionRotation, _ what: String) throws {
        guard case .gone = outcome else { throw ConformanceFailure("\(what) is not gone") }
    }

    // MARK: Rotations

    /// Rotates to a fresh id, which it returns.
    func rotate(_ id: SessionID, grace: Double) throws -> SessionID {
        let new = freshID()
        guard case .rotated = try provider.rotate(id, to: new, grace: seconds(grace)) else {
            throw ConformanceFailure("the session was not rotated")
        }
        return new
    }

    // MARK: Checks

    func expect(_ isTrue: Bool, _ message: @autoclosure () -> String) throws {
        guard isTrue else { throw ConformanceFailure(message()) }
    }

    func expectEqual<Value: Equatable>(_ given: Value, _ wanted: Value, _ what: String) throws {
        guard given == wanted else { throw ConformanceFailure("\(what): wanted \(wanted), got \(given)") }
    }

    /// A duration by the store's clock: exact, or within a fixture's second.
    func expectAbout(_ given: Duration, _ count: Double, _ what: String) throws {
        let wanted = seconds(count)
        let tolerance = fixture.isClockExact ? Duration.nanoseconds(1) : fixture.second
        guard given >= wanted - tolerance, given <= wanted + tolerance else {
            throw ConformanceFailure("\(what): wanted about \(wanted), got \(given)")
        }
    }

    // MARK: Threads

    /// Runs `body` on `count` threads at once; throws what the first of them threw.
    func inParallel<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let results = Locked<[Swift.Result<Result, any Error>?]>(Array(repeating: nil, count: count))
        // All begin together: threads that come one by one would hardly meet.
        let missing = Locked(count)
        let threads = try (0..<count).map { number in
            try SystemThread(name: "conformance") {
                missing.withLock { $0 -= 1 }
                while missing.withLock({ $0 }) > 0 { sched_yield() }
                let result = Swift.Result { try body(number) }
                results.withLock { $0[number] = result }
            }
        }
        for thread in threads {
            guard thread.join(timeout: .seconds(120)) else {
                throw ConformanceFailure("a call has not returned within two minutes")
            }
        }
        return try results.withLock { try $0.map { try $0!.get() } }
    }
}
