internal import GalletaPlatform
internal import Logging
internal import MemorySessions
internal import PHPSerialization

/// What pages of PHP do, which may take locks or not.
extension MemoryStore {
    /// What a page's connection has read of a session.
    struct Reading: Sendable {
        /// nil: there was none.
        let bytes: [UInt8]?
        let version: UInt64
    }

    /// What comes of a page's writing.
    enum Writing {
        /// The session is as the page wants it, or has the page's changes.
        case done
        /// The session that it had read was removed meanwhile, by a log-out: it stays so.
        case gone
        case full
        /// It is a log-in, and the journal cannot be written: nothing has changed.
        case unsaved
    }

    func exists(_ digest: IDDigest) -> Bool {
        let now = now
        return state.withLock { $0.table.find(digest, at: now) != nil }
    }

    func read(_ digest: IDDigest) -> Reading {
        let now = now
        let session = state.withLock { $0.table.find(digest, at: now) }
        return Reading(bytes: session?.bytes, version: session?.version ?? 0)
    }

    /// Writes a page's session.
    ///
    /// If somebody else has changed it since the page read it, the page's changes are put into it as it is now, name by name. What
    /// cannot be told apart by names is overwritten, as by PHP's handler elsewhere.
    ///
    /// - Parameter reading: What the page had read; nil: nothing.
    /// - Returns: What came of it, what the page's next change is to be compared with, and where the journal must be on the
    ///   disk before the page is told (nil: nothing of this is in it).
    func write(
        _ digest: IDDigest, _ mine: [UInt8], lifetime: Duration, reading: Reading?
    ) -> (outcome: Writing, reading: Reading, journalEnd: UInt64?) {
        var bytes = mine
        var isMerged = false
        // What it is to be written onto; nil: whatever is there.
        var expected = reading?.version
        while true {
            let owner = configuration.owner(bytes)
            let now = now
            let deadline = now.addingSaturated(lifetime.nanoseconds)
            let (outcome, theirs, journalEnd) = state.withLock {
                state -> (Writing?, MemoryTable.Session?, UInt64?) in
                let session = state.table.find(digest, at: now)
                if session == nil, reading?.bytes != nil {
                    return (.gone, nil, state.table.journalEnd(of: digest))
                }
                if let expected, let session, session.version != expected { return (nil, session, nil) }
                if let owner, session?.owner != owner, stateJournal?.isFailing ?? false { return (.unsaved, nil, nil) }
                guard state.table.put(digest, bytes, deadline: deadline, owner: owner, at: now) else {
                    return (.full, nil, nil)
                }
                if isMerged { state.merges += 1 }
                return (.done, state.table.find(digest, at: now), state.table.journalEnd(of: digest))
            }
            if let outcome {
                // What the page knows is not what is there, if that was merged.
                let version = isMerged ? 0 : theirs?.version ?? 0
                return (outcome, Reading(bytes: outcome == .done ? mine : nil, version: version), journalEnd)
            }
            guard let theirs else { continue }
            do throws(PHPSerializationError) {
                bytes = try PHPDocument.merged(
                    mine, since: reading?.bytes ?? [], into: theirs.bytes, format: configuration.format,
                    limits: configuration.limits)
                isMerged = true
                expected = theirs.version
            } catch {
                (bytes, isMerged, expected) = (mine, false, nil)
                noteOverwriting(error)
            }
        }
    }

    /// Gives the session its lifetime anew. False without it.
    func touch(_ digest: IDDigest, lifetime: Duration) -> Bool {
        let now = now
        return state.withLock {
            $0.table.setDeadline(now.addingSaturated(lifetime.nanoseconds), of: digest, at: now)
        }
    }

    /// - Returns: False without the session; and as `write` where the journal must be on the disk.
    func remove(_ digest: IDDigest) -> (isRemoved: Bool, journalEnd: UInt64?) {
        let now = now
        return state.withLock { state in
            (state.table.remove(digest, at: now), state.table.journalEnd(of: digest))
        }
    }

    /// Takes a lock, or waits for it.
    func take(_ digest: IDDigest, _ request: MemoryLocks.Request) -> Bool {
        expire(digest)
        return state.withLock { $0.locks.take(digest, request, waits: true, at: .now) }
    }

    /// Gives a lock back by its holder's name. False when somebody else has it.
    func release(_ digest: IDDigest, token: [UInt8]) -> Bool {
        guard let grants = state.withLock({ $0.locks.release(digest, token: token, at: .now) }) else { return false }
        for grant in grants { notify(grant) }
        return true
    }

    /// When a lock passes on by itself.
    func lockExpiry(of digest: IDDigest) -> BootInstant? { state.withLock { $0.locks.expiry(of: digest) } }

    /// What a lock's holder calls itself.
    func token(_ digest: IDDigest) -> [UInt8]? { state.withLock { $0.locks.token(digest, at: .now) } }

    func isHeld(_ digest: IDDigest, by owner: UInt64) -> Bool {
        state.withLock { $0.locks.isHeld(digest, by: owner, at: .now) }
    }

    private func noteOverwriting(_ error: PHPSerializationError) {
        let count = state.withLock { state in
            state.overwrites += 1
            return state.overwrites
        }
        guard throttle.pass("overwritten") != nil else { return }
        configuration.logger.warning(
            """
            a page without a lock has overwritten what others changed in its session, since its changes cannot be told apart: \
            \(error); set redis.session.locking_enabled = 1 in PHP's settings
            """, metadata: ["since the start": "\(count)"])
    }
}
