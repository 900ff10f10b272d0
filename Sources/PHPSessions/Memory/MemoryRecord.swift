internal import GalletaPlatform

/// A session in memory whose lock is held.
final class MemoryRecord: PHPSessionRecord {
    /// What comes of a change.
    private enum Outcome {
        case done, gone, changed, full
    }

    private(set) var bytes: [UInt8]
    private(set) var lastUse: Duration
    private let store: MemoryStore
    private let digest: IDDigest
    private let owner: UInt64
    /// Of what was read; nil: made here, and not there yet.
    private var version: UInt64?
    private var isReleased = false

    init(
        store: MemoryStore, digest: IDDigest, owner: UInt64, _ content: PHPSessionContent, version: UInt64?
    ) {
        self.store = store
        self.digest = digest
        self.owner = owner
        self.version = version
        bytes = content.bytes
        lastUse = content.lastUse
    }

    deinit {
        release()
    }

    var isHeld: Bool {
        !isReleased && store.state.withLock { $0.locks.isHeld(digest, by: owner, at: .now) }
    }

    func write(_ new: [UInt8], lastUse: Duration?, keepsLock: Bool) throws(PHPSessionStoreError) -> Bool {
        guard new.count <= store.configuration.maxSessionBytes else {
            release()
            throw .refused("a session has more bytes than \(store.configuration.maxSessionBytes)")
        }
        let owner = store.configuration.owner(new)
        let now = store.now
        let deadline = self.deadline(lastUse, at: now)
        let isDone = try perform(keepsLock: keepsLock) { state in
            guard state.table.put(digest, new, deadline: deadline, owner: owner, at: now) else { return .full }
            return .done
        }
        guard isDone else { return false }
        bytes = new
        self.lastUse = lastUse ?? .nanoseconds(now)
        return true
    }

    func touch(keepsLock: Bool) throws(PHPSessionStoreError) -> Bool {
        let now = store.now
        let deadline = self.deadline(nil, at: now)
        let isDone = try perform(keepsLock: keepsLock) { state in
            state.table.setDeadline(deadline, of: digest, at: now) ? .done : .gone
        }
        if isDone { lastUse = .nanoseconds(now) }
        return isDone
    }

    func remove() throws(PHPSessionStoreError) -> Bool {
        let now = store.now
        return try perform(checksVersion: false) { state in state.table.remove(digest, at: now) ? .done : .gone }
    }

    func rename(to id: PHPSessionID) throws(PHPSessionStoreError) -> PHPSessionRenaming {
        let (new, now) = (IDDigest(id), store.now)
        defer { release() }
        return store.state.withLock { state in
            guard state.locks.isHeld(digest, by: owner, at: .now), state.table.find(digest, at: now) != nil else {
                return .gone
            }
            return state.table.rename(digest, to: new, at: now) ? .renamed : .taken
        }
    }

    func release() {
        guard !isReleased else { return }
        isReleased = true
        store.release(digest, owner: owner)
    }

    private func deadline(_ lastUse: Duration?, at now: Int64) -> Int64 {
        let start = min(lastUse?.nanoseconds ?? now, now)
        return start.addingSaturated(store.configuration.idleTimeout.nanoseconds)
    }

    /// Makes a change if the session is still as it was read.
    private func perform(
        keepsLock: Bool = false, checksVersion: Bool = true, _ change: (inout MemoryStore.State) -> Outcome
    ) throws(PHPSessionStoreError) -> Bool {
        guard !isReleased else { throw .refused("a session that was let go cannot be used any more") }
        let now = store.now
        let outcome = store.state.withLock { state -> Outcome in
            // Without the lock, which has expired, there may be changes that were not read.
            guard state.locks.isHeld(digest, by: owner, at: .now) else { return .changed }
            let session = state.table.find(digest, at: now)
            if version == nil {
                guard session == nil else { return .changed }
            } else {
                guard let session else { return .gone }
                // By a page that takes no locks.
                guard !checksVersion || session.version == version else { return .changed }
            }
            let outcome = change(&state)
            if outcome == .done { version = state.table.find(digest, at: now)?.version }
            return outcome
        }
        if !keepsLock || outcome != .done { release() }
        switch outcome {
        case .done: return true
        case .gone: return false
        case .changed: throw .changed
        case .full: throw .full
        }
    }
}

extension PHPSessionStoreError {
    static let full = PHPSessionStoreError(code: .failed, reason: "there is no room for more sessions (maximumBytes)")
}
