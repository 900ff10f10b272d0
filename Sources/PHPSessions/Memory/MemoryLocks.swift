internal import GalletaPlatform

/// Who is told that a lock has become theirs.
protocol LockAwaiting: AnyObject, Sendable {
    /// Called without a lock of the store's, on any thread.
    func lockIsGranted(_ digest: IDDigest)
}

/// The locks of sessions, each with a queue: whoever asks first is the next who has it.
///
/// An owner is a number: of a connection of PHP's, or of a call of ours. For one thread at a time.
struct MemoryLocks {
    /// Who asks, and for how long it may have the lock.
    struct Request {
        let owner: UInt64
        /// What PHP's handler calls itself, `host|pid`: whoever says the same may give the lock back.
        var token: [UInt8] = []
        /// How long it keeps the lock at most, from the moment that it has it; nil is for as long as it lives.
        let lifetime: Duration?
        let awaiting: any LockAwaiting
    }

    /// A lock that has become another's.
    struct Grant {
        let digest: IDDigest
        let awaiting: any LockAwaiting
    }

    private struct Lock {
        var holder: Request
        var expiry: BootInstant?
        var queue: [Request] = []

        func isOver(at now: BootInstant) -> Bool { expiry.map { $0 <= now } ?? false }
    }

    private var locks: [IDDigest: Lock] = [:]

    // MARK: Taking

    /// Takes a lock that nobody has; else stands in its queue if `waits`.
    ///
    /// - Returns: Whether the lock is the owner's now. One that it has, and asks for again, is a lock that it forgot.
    mutating func take(_ digest: IDDigest, _ request: Request, waits: Bool, at now: BootInstant) -> Bool {
        guard var lock = locks[digest] else {
            locks[digest] = Lock(holder: request, expiry: request.lifetime.map(now.advanced))
            return true
        }
        if lock.holder.owner == request.owner || (lock.isOver(at: now) && lock.queue.isEmpty) {
            lock.holder = request
            lock.expiry = request.lifetime.map(now.advanced)
            locks[digest] = lock
            return true
        }
        if waits {
            lock.queue.append(request)
            locks[digest] = lock
        }
        return false
    }

    /// Whether this owner has the lock.
    func isHeld(_ digest: IDDigest, by owner: UInt64, at now: BootInstant) -> Bool {
        guard let lock = locks[digest] else { return false }
        return lock.holder.owner == owner && !lock.isOver(at: now)
    }

    /// What the holder calls itself; nil without one.
    func token(_ digest: IDDigest, at now: BootInstant) -> [UInt8]? {
        locks[digest].flatMap { $0.isOver(at: now) ? nil : $0.holder.token }
    }

    func waiterCount(_ digest: IDDigest) -> Int { locks[digest]?.queue.count ?? 0 }

    /// The locks that somebody has or awaits.
    var count: Int { locks.count }

    // MARK: Giving back

    /// The holder gives it back, or who waits goes away.
    mutating func release(_ digest: IDDigest, owner: UInt64, at now: BootInstant) -> Grant? {
        guard let lock = locks[digest] else { return nil }
        if lock.holder.owner == owner { return pass(digest, at: now) }
        locks[digest]!.queue.removeAll { $0.owner == owner }
        return nil
    }

    /// Whoever says the holder's name gives it back, as PHP's handler does it.
    ///
    /// - Returns: nil when somebody else has it, or nobody.
    mutating func release(_ digest: IDDigest, token: [UInt8], at now: BootInstant) -> [Grant]? {
        guard let lock = locks[digest], lock.holder.token == token, !lock.isOver(at: now) else { return nil }
        return pass(digest, at: now).map { [$0] } ?? []
    }

    /// When the lock passes on by itself.
    func expiry(of digest: IDDigest) -> BootInstant? { locks[digest]?.expiry }

    /// Passes a lock on whose time is up.
    mutating func expire(_ digest: IDDigest, at now: BootInstant) -> Grant? {
        guard let lock = locks[digest], lock.isOver(at: now) else { return nil }
        return pass(digest, at: now)
    }

    private mutating func pass(_ digest: IDDigest, at now: BootInstant) -> Grant? {
        guard var lock = locks[digest], !lock.queue.isEmpty else {
            locks[digest] = nil
            return nil
        }
        lock.holder = lock.queue.removeFirst()
        lock.expiry = lock.holder.lifetime.map(now.advanced)
        locks[digest] = lock
        return Grant(digest: digest, awaiting: lock.holder.awaiting)
    }
}
