package import GalletaPlatform
package import Logging
package import MemorySessions
package import PHPSerialization

/// PHP's sessions in this process's memory, for us and, through ``HandlerServer``, for PHP's redis handler.
///
/// Locks are fair: whoever asks first, a page or one of our requests, is the next who has the session, and nobody asks twice.
/// A lock that nobody gives back goes by its expiry.
///
/// Threading: any thread. Critical sections are a few look-ups and copies of references.
package final class MemoryStore: PHPSessionStore {
    /// How a store in memory is set up.
    package struct Configuration: Sendable {
        /// PHP's `session.gc_maxlifetime`, which each use of a session from our side gives it anew.
        package var idleTimeout: Duration
        /// The form of what PHP writes, so that changes can be merged.
        package var format = PHPFormat.php
        /// What a session's values may cost to be merged.
        package var limits = PHPLimits()
        /// Bytes of a session. A longer one is refused. Default: 4 MiB.
        package var maxSessionBytes = 4 << 20
        /// Sessions at once. Default: 100,000.
        package var maxSessions = 100_000
        /// Bytes of all sessions and what is kept beside them. Default: 256 MiB.
        package var maxBytes = 256 << 20
        /// Threads that wait for the same session at a time. Default: 2.
        package var maxWaiters = 2
        /// How long a lock of ours lasts that nobody lets go of. Default: 30 s.
        package var lockExpiry = Duration.seconds(30)
        /// Whose session it is, by its bytes.
        package var owner: @Sendable ([UInt8]) -> SessionOwner? = { _ in nil }
        /// What "now" is.
        package var clock = WallClock.steady
        /// Where changes that were lost are told of.
        package var logger = Logger(label: "galleta.sessions.php")

        package init(idleTimeout: Duration) {
            self.idleTimeout = idleTimeout
        }

        func check() throws(ConfigurationError) {
            guard maxSessions > 0 else {
                throw ConfigurationError(
                    field: "maximumSessions", reason: "below 1", remedy: "give the most sessions at a time")
            }
            guard maxBytes >= 65_536 else {
                throw ConfigurationError(
                    field: "maximumBytes", reason: "below 65536",
                    remedy: "give the memory that sessions may have, in bytes"
                )
            }
        }
    }

    struct State {
        var table: MemoryTable
        var locks = MemoryLocks()
        var owners: UInt64 = 0
        /// Changes of pages without locks that were put together with others' changes, and those that overwrote them.
        var merges = 0
        var overwrites = 0
    }

    let configuration: Configuration
    let state: Locked<State>
    /// Where log-ins, log-outs and changed ids go, once the store is restored.
    package let stateJournal: StateJournal?
    let throttle = LogThrottle()
    private let queue: SessionQueue
    private let sweeper: MemorySweeper

    /// - Parameter journal: Of the store's state file, if there is one.
    package init(_ configuration: Configuration, journal: StateJournal? = nil) throws(ConfigurationError) {
        try configuration.check()
        self.configuration = configuration
        stateJournal = journal
        queue = SessionQueue(limit: configuration.maxWaiters)
        let (clock, state) = (
            configuration.clock,
            Locked(State(table: MemoryTable(maxSessions: configuration.maxSessions, maxBytes: configuration.maxBytes)))
        )
        self.state = state
        sweeper = MemorySweeper { limit in
            let now = clock.now.nanoseconds
            return state.withLock { $0.table.sweep(limit: limit, at: now) }
        }
    }

    package func close() {
        sweeper.close()
    }

    /// Nanoseconds since 1970.
    var now: Int64 { configuration.clock.now.nanoseconds }

    // MARK: Opening

    package func read(_ id: PHPSessionID, until deadline: BootInstant) throws(PHPSessionStoreError)
        -> PHPSessionContent?
    {
        // Sessions change as a whole: no lock is needed to look.
        let (digest, now) = (IDDigest(id), now)
        return state.withLock { $0.table.find(digest, at: now) }.map(content)
    }

    package func open(
        _ id: PHPSessionID, until deadline: BootInstant
    ) throws(PHPSessionStoreError) -> (any PHPSessionRecord)? {
        let digest = IDDigest(id)
        let owner = try take(digest, of: id, until: deadline)
        let now = now
        guard let session = state.withLock({ $0.table.find(digest, at: now) }) else {
            release(digest, owner: owner)
            return nil
        }
        return MemoryRecord(
            store: self, digest: digest, owner: owner, content(session), version: session.version)
    }

    package func create(
        _ id: PHPSessionID, until deadline: BootInstant
    ) throws(PHPSessionStoreError) -> (any PHPSessionRecord)? {
        let digest = IDDigest(id)
        let owner = try take(digest, of: id, until: deadline)
        let now = now
        guard state.withLock({ $0.table.find(digest, at: now) }) == nil else {
            release(digest, owner: owner)
            return nil
        }
        let nothing = PHPSessionContent(bytes: [], lastUse: .nanoseconds(now))
        return MemoryRecord(store: self, digest: digest, owner: owner, nothing, version: nil)
    }

    func content(_ session: MemoryTable.Session) -> PHPSessionContent {
        let lastUse = Duration.nanoseconds(session.deadline) - configuration.idleTimeout
        return PHPSessionContent(bytes: session.bytes, lastUse: min(lastUse, configuration.clock.now))
    }

    // MARK: Locking

    /// A number for one more who may have locks.
    func makeOwner() -> UInt64 {
        state.withLock { state in
            state.owners += 1
            return state.owners
        }
    }

    /// How many wait for a session's lock.
    func waiterCount(of id: PHPSessionID) -> Int { state.withLock { $0.locks.waiterCount(IDDigest(id)) } }

    /// Takes the lock, and waits for it until the deadline. Gives the owner of the lock.
    private func take(
        _ digest: IDDigest, of id: PHPSessionID, until deadline: BootInstant
    ) throws(PHPSessionStoreError) -> UInt64 {
        let ticket = LockTicket()
        let request = MemoryLocks.Request(owner: makeOwner(), lifetime: configuration.lockExpiry, awaiting: ticket)
        func take(waits: Bool) -> Bool {
            state.withLock { $0.locks.take(digest, request, waits: waits, at: .now) }
        }
        if take(waits: false) { return request.owner }
        // Its turn is told by the lock's own queue, in which pages stand, too.
        guard deadline > .now, let place = queue.enter(id) else { throw .busy }
        defer { queue.leave(id, place) }
        if take(waits: true) { return request.owner }
        while true {
            let expiry = state.withLock { $0.locks.expiry(of: digest) } ?? deadline
            if ticket.wait(until: min(expiry, deadline)) { return request.owner }
            expire(digest)
            guard deadline <= .now else { continue }
            // It may have come just now.
            let (isHeld, grant) = state.withLock { state in
                state.locks.isHeld(digest, by: request.owner, at: .now)
                    ? (true, nil) : (false, state.locks.release(digest, owner: request.owner, at: .now))
            }
            notify(grant)
            guard isHeld else { throw .busy }
            return request.owner
        }
    }

    /// Passes a lock on whose time is up.
    func expire(_ digest: IDDigest) {
        notify(state.withLock { $0.locks.expire(digest, at: .now) })
    }

    /// Gives a lock back, or goes out of its queue.
    func release(_ digest: IDDigest, owner: UInt64) {
        notify(state.withLock { $0.locks.release(digest, owner: owner, at: .now) })
    }

    func notify(_ grant: MemoryLocks.Grant?) {
        grant.map { $0.awaiting.lockIsGranted($0.digest) }
    }
}

extension WallClock {
    /// The system's as it was at the start, and steady from then on: nobody's session ends because a clock is set.
    package static let steady: WallClock = {
        let (wall, boot) = (WallClock.system.now, BootInstant.now)
        return WallClock { wall + boot.duration(to: .now) }
    }()
}
