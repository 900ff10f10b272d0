internal import GalletaPlatform
internal import MemorySessions
internal import RESP

/// What one connection of PHP's says, and what it is answered; without the connection itself.
///
/// It knows what the connection has read of sessions, so that what it writes can be put together with others' changes, and
/// which locks it has: they go with it.
///
/// For one thread at a time; the store's others may use it meanwhile.
struct HandlerConversation {
    /// What is to be done about a command.
    enum Answer: Equatable {
        case reply(RESPValue)
        /// The last one.
        case farewell(RESPValue)
        /// None until it has the lock of this session.
        case waits(IDDigest)
        /// This one, once the journal is on the disk up to here.
        case settles(UInt64, RESPValue)
    }

    /// What PHP's handler is served by.
    struct Service {
        let store: MemoryStore
        let prefix: [UInt8]
        /// nil: none is asked for.
        let password: [UInt8]?
    }

    /// A page has one session, for a moment two, by a new id.
    private static let readingLimit = 2
    private static let lockLimit = 64

    private let service: Service
    private let owner: UInt64
    private let awaiting: any LockAwaiting
    private var readings: [(digest: IDDigest, reading: MemoryStore.Reading)] = []
    /// Those that it has or waits for.
    private var locks: Set<IDDigest> = []
    private var isKnown: Bool
    /// A session that it has read, and neither written nor removed since.
    private var openReading: IDDigest?

    /// - Parameters:
    ///   - owner: The connection as an owner of locks.
    ///   - awaiting: Told of a lock that it waits for.
    init(_ service: Service, owner: UInt64, awaiting: any LockAwaiting) {
        self.service = service
        self.owner = owner
        self.awaiting = awaiting
        isKnown = service.password == nil
    }

    private var store: MemoryStore { service.store }

    /// Whether a page seems not to be done with its session.
    var isUnderWay: Bool { openReading != nil || locks.contains { store.isHeld($0, by: owner) } }

    mutating func answer(_ words: [[UInt8]]) -> Answer {
        do throws(HandlerRefusal) {
            return try answer(HandlerCommand(words, prefix: service.prefix))
        } catch {
            return .reply(.error(error.reply))
        }
    }

    private mutating func answer(_ command: HandlerCommand) throws(HandlerRefusal) -> Answer {
        switch command {
        case .authenticate(let password): return .reply(try authenticate(password))
        case .quit: return .farewell(.simple("OK"))
        default: break
        }
        guard isKnown else { throw HandlerRefusal("Authentication required.", code: "NOAUTH") }
        switch command {
        case .ping: return .reply(.simple("PONG"))
        case .echo(let bytes): return .reply(.bulk(bytes))
        case .select(let number):
            guard number == 0 else {
                throw HandlerRefusal("there is one database, 0: leave database= out of session.save_path")
            }
            return .reply(.simple("OK"))
        case .exists(let digest): return .reply(.integer(digest.map { store.exists($0) ? 1 : 0 } ?? 0))
        case .read(let digest, let lifetime):
            guard let digest else { return .reply(.null) }
            if let lifetime { _ = store.touch(digest, lifetime: lifetime) }
            let reading = store.read(digest)
            note(reading, of: digest)
            openReading = digest
            return .reply(reading.bytes.map { .bulk($0) } ?? .null)
        case .readLock(let digest):
            return .reply(digest.flatMap(store.token).map { .bulk($0) } ?? .null)
        case .write(let digest, let bytes, let lifetime):
            openReading = nil
            return try write(digest, bytes, lifetime)
        case .touch(let digest, let lifetime):
            openReading = nil
            return .reply(.integer(digest.map { store.touch($0, lifetime: lifetime) ? 1 : 0 } ?? 0))
        case .remove(let digest):
            guard let digest else { return .reply(.integer(0)) }
            openReading = nil
            // It knows that the session is gone, and may begin it anew.
            readings.removeAll { $0.digest == digest }
            let (isRemoved, journalEnd) = store.remove(digest)
            return settled(.integer(isRemoved ? 1 : 0), journalEnd)
        case .lock(let digest, let token, let lifetime): return try lock(digest, token, lifetime)
        case .unlock(let digest, let token):
            let isReleased = store.release(digest, token: token)
            if !store.isHeld(digest, by: owner) { locks.remove(digest) }
            return .reply(.integer(isReleased ? 1 : 0))
        case .authenticate, .quit: return .farewell(.simple("OK"))
        }
    }

    private mutating func authenticate(_ password: [UInt8]) throws(HandlerRefusal) -> RESPValue {
        guard let wanted = service.password else {
            throw HandlerRefusal("no password is asked for: leave auth= out of session.save_path")
        }
        guard isEqual(password, wanted) else {
            throw HandlerRefusal("invalid username-password pair", code: "WRONGPASS")
        }
        isKnown = true
        return .simple("OK")
    }

    /// In a time that does not tell where they differ.
    private func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private mutating func write(
        _ digest: IDDigest, _ bytes: [UInt8], _ lifetime: Duration
    ) throws(HandlerRefusal) -> Answer {
        guard bytes.count <= store.configuration.maxSessionBytes else {
            throw HandlerRefusal("a session has at most \(store.configuration.maxSessionBytes) bytes")
        }
        let known = readings.first { $0.digest == digest }?.reading
        let (outcome, reading, journalEnd) = store.write(digest, bytes, lifetime: lifetime, reading: known)
        switch outcome {
        case .done: note(reading, of: digest)
        // To the page all is well: its visitor has logged out meanwhile.
        case .gone: break
        case .full: throw HandlerRefusal("there is no room for more sessions", code: "OOM")
        case .unsaved: throw HandlerRefusal("log-ins cannot be put on the disk; the server's log says why")
        }
        return settled(.simple("OK"), journalEnd)
    }

    private func settled(_ value: RESPValue, _ journalEnd: UInt64?) -> Answer {
        journalEnd.map { .settles($0, value) } ?? .reply(value)
    }

    /// The answer to a change that stands, and that a crash would undo.
    static let unsaved = RESPValue.error(
        HandlerRefusal("it could not be put on the disk; the server's log says why: a crash would undo it").reply)

    /// Calls back once it is known whether the journal is on the disk so far.
    func settle(_ journalEnd: UInt64, _ resume: @escaping @Sendable (_ isSettled: Bool) -> Void) {
        guard let journal = store.stateJournal else { return resume(true) }
        journal.wait(for: journalEnd, resume)
    }

    private mutating func note(_ reading: MemoryStore.Reading, of digest: IDDigest) {
        readings.removeAll { $0.digest == digest }
        if readings.count == Self.readingLimit { readings.removeFirst() }
        readings.append((digest, reading))
    }

    // MARK: Locks

    private mutating func lock(
        _ digest: IDDigest, _ token: [UInt8], _ lifetime: Duration?
    ) throws(HandlerRefusal) -> Answer {
        if locks.count >= Self.lockLimit { locks = locks.filter { store.isHeld($0, by: owner) } }
        guard locks.count < Self.lockLimit else { throw HandlerRefusal("a connection has at most 64 locks") }
        locks.insert(digest)
        let request = MemoryLocks.Request(owner: owner, token: token, lifetime: lifetime, awaiting: awaiting)
        return store.take(digest, request) ? .reply(.simple("OK")) : .waits(digest)
    }

    /// The answer to the command that waits for a lock, if it is this connection's by now.
    func answerOfLock(_ digest: IDDigest) -> RESPValue? { store.isHeld(digest, by: owner) ? .simple("OK") : nil }

    /// The answer when it has waited for long enough.
    mutating func giveUp(_ digest: IDDigest) -> RESPValue {
        store.expire(digest)
        if let answer = answerOfLock(digest) { return answer }
        store.release(digest, owner: owner)
        locks.remove(digest)
        return .null
    }

    /// Gives back what it has, and waits for nothing.
    mutating func end() {
        for digest in locks { store.release(digest, owner: owner) }
        locks = []
    }
}
