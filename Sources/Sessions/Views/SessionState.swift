internal import GalletaPlatform

/// What a request knows of its session and wants of it. Behind the lock of `Session`.
///
/// Invariants: `view` is the record's values as last seen with `patch` applied; `id` means something in phase
/// `present` only; in phase `absent` the store holds nothing of ours and `view` is the draft.
struct SessionState {
    enum Phase {
        /// The store was not asked yet.
        case unread
        /// There is no session; one begins at the commit if something is written.
        case absent
        /// The store has a session under `id`.
        case present
        /// It vanished during the request: the view stays usable, nothing of it is kept.
        case lost
    }

    enum Cookie {
        case none, set, delete
    }

    let manager: SessionManager
    let candidates: SessionIDCandidates
    let isSecure: Bool

    var phase = Phase.unread
    var id = SessionID(words: .zero)
    /// What the provider keeps with the session for this request, until the commit.
    var lease: (any SessionLease)?
    /// What a look-up before the first use has brought.
    var prefetched: Result<[SessionFinding], any Error>?
    /// True once somebody has asked for the session, whatever came of it.
    var isUsed = false
    /// Other live sessions that the request offered.
    var others: [SessionID] = []
    var view = SessionValues()
    var patch = SessionPatch()
    var version: UInt64 = 0
    /// Counts changes of the view, so that an update outside the lock sees whether it was overtaken.
    var changeCount = 0
    var cookie = Cookie.none
    var isWritten = false
    /// True when the store had no session at the first look.
    var isNew = false
    /// True when this request has begun the session in the store: nobody else knows its id.
    var hasBegun = false
    /// True when another request of the visitor rotated the id: this one goes on under that one's new id.
    var isLatecomer = false
    /// True from the commit on: no cookie can go out any more.
    var isCommitted: Bool
    /// What the response must carry, from the commit on.
    var closing: SessionCommit?
    /// True when the view holds what was rolled back: the store is asked anew before it is used.
    var isStale = false

    var ageNanoseconds: Int64 = 0
    var idleNanoseconds: Int64 = 0
    var idleRemaining: Int64 = 0
    var absoluteRemaining: Int64 = 0
    /// The idle timeout of this session, which may be another than the configuration's.
    var idleTimeout: Int64 = 0
    /// A lifetime that the next commit gives the session.
    var lifetime: SessionLifetime?
    /// Where the provider's journal must be on the disk before the answer leaves.
    var journalEnd: UInt64?
    /// True when this request has logged somebody in, in the store.
    var hasLoggedIn = false
    /// True when the next commit binds the session to a user, so that a cap of sessions a user is due.
    var bindsUser = false
    /// The network that asks, for the limit of new sessions.
    let client: String?
    private let stopwatch: Stopwatch?

    init(
        manager: SessionManager, candidates: SessionIDCandidates, isSecure: Bool, client: String?, isCommitted: Bool,
        stopwatch: Stopwatch?
    ) {
        self.stopwatch = stopwatch
        self.manager = manager
        self.client = client
        self.candidates = candidates
        self.isSecure = isSecure
        self.isCommitted = isCommitted
    }

    /// Calls the provider, and has the time of it taken.
    @inline(__always)
    func ask<Result>(_ body: (any SessionProvider) throws -> Result) throws -> Result {
        guard let stopwatch else { return try manager.store(body) }
        return try stopwatch.measure { try manager.store(body) }
    }

    /// The session as the provider knows it.
    var handle: SessionHandle { SessionHandle(id, lease: lease) }

    /// No session yet; one that begins will have this lifetime.
    mutating func begin(with lifetime: SessionLifetime) {
        phase = .absent
        ageNanoseconds = 0
        idleNanoseconds = 0
        idleTimeout = lifetime.idleTimeout.nanoseconds
        idleRemaining = idleTimeout
        absoluteRemaining = lifetime.absoluteTimeout.nanoseconds
    }

    /// Takes the record over as what the store holds now; pending changes stay on top.
    mutating func adopt(_ record: SessionRecord) {
        follow(record.successor)
        if let lease = record.lease { self.lease = lease }
        version = record.version
        ageNanoseconds = record.ageNanoseconds
        idleNanoseconds = record.idleNanoseconds
        idleRemaining = record.idleRemainingNanoseconds
        // Saturated: a provider's record may come from a file.
        idleTimeout = record.idleNanoseconds.addingSaturated(record.idleRemainingNanoseconds)
        absoluteRemaining = record.absoluteRemainingNanoseconds
        changeCount += 1
        guard !patch.isEmpty else {
            view = record.values
            return
        }
        // Over a limit with the others' changes: the commit will say so, the view shows ours.
        view = (try? record.values.applying(patch, limits: .none)) ?? record.values
    }

    /// Goes on under the id that a rotation by another request put in place of ours, and tells the browser.
    ///
    /// Every outcome that comes by an old id says so: a cookie that renewed the old id could reach the browser last.
    mutating func follow(_ successor: SessionID?) {
        guard let successor else { return }
        id = successor
        isLatecomer = true
        cookie = .set
        // The rotation may be another request's, and not be on the disk yet.
        try? noteJournal()
    }

    /// True when the visit is to be noted in the store.
    ///
    /// A session with a timeout of its own, shorter than the configuration's, is noted more often.
    var isTouchDue: Bool { idleNanoseconds >= min(manager.touchNanoseconds, idleTimeout / 4) }

    /// Notes that the store set "last seen" to now: the cookie is renewed in the same breath, so that the two end
    /// together and an active visitor never drops out.
    mutating func noteTouch() {
        idleNanoseconds = 0
        idleRemaining = idleTimeout
        renewCookie()
    }

    /// Sends the cookie again for the sake of its Max-Age.
    mutating func renewCookie() {
        if manager.isPersistent, cookie == .none { cookie = .set }
    }

    mutating func lose() {
        phase = .lost
        patch.removeAll()
        lease = nil
        cookie = .none
        manager.emit(.lost)
    }

    /// Refuses what needs a cookie once the header is on its way.
    func checkHeaderIsOpen(_ what: String) throws(SessionError) {
        guard !isCommitted else {
            throw SessionError(
                .responseStarted,
                "\(what) after the response has begun: its cookie can no longer be sent. "
                    + "Do it before the response is returned, not while its body is written")
        }
    }

    /// Puts a change into the view and the patch; after the commit it goes to the store at once.
    mutating func change(_ change: SessionPatch.Change) throws {
        if phase == .absent, !change.isRemoval { try checkHeaderIsOpen("starting a session") }
        var single = SessionPatch()
        single.replace(change)
        view = try view.applying(single, limits: manager.limits)
        changeCount += 1
        isWritten = true
        guard phase != .lost else { return }
        patch.replace(change)
        if isCommitted, phase == .present { try storePending() }
    }

    /// Sends all pending changes to the store; with `touching` it notes the visit, too.
    mutating func storePending(touching: Bool = false) throws {
        let pending = takePending()
        do {
            try store(pending, expecting: nil, touching: touching)
        } catch {
            putBack(pending)
            throw error
        }
    }

    /// Taken before they are sent, so that the view becomes the record without them on top again.
    mutating func takePending() -> SessionPatch {
        var pending = patch
        pending.lifetime = lifetime
        patch.removeAll()
        return pending
    }

    /// Makes changes pending again that could not be sent; those made since stay on top.
    mutating func putBack(_ pending: SessionPatch) {
        let since = patch.changes
        patch = pending
        patch.lifetime = nil
        for change in since { patch.replace(change) }
    }

    /// The store has given the session these timeouts.
    private mutating func adopt(_ stored: SessionLifetime) {
        lifetime = nil
        idleTimeout = stored.idleTimeout.nanoseconds
        idleRemaining = idleTimeout.subtractingSaturated(idleNanoseconds)
        absoluteRemaining = stored.absoluteTimeout.nanoseconds.subtractingSaturated(ageNanoseconds)
        renewCookie()
    }

    /// Makes the view the record after `changes`, with what is still pending on top.
    private mutating func refresh(_ values: SessionValues?, with changes: SessionPatch) throws(SessionError) {
        changeCount += 1
        let current = if let values { values } else { try view.applying(changes, limits: .none) }
        view = patch.isEmpty ? current : try current.applying(patch, limits: .none)
    }

    /// Sends changes to the store now, all that are pending or some that are none of these.
    ///
    /// Only the commit is `touching`: the cookie that a touch renews must go out right after it, not when a slow
    /// handler is done and the id may be another one.
    ///
    /// False when the record is at another version than expected, which is adopted then.
    @discardableResult
    mutating func store(_ changes: SessionPatch, expecting expected: UInt64?, touching: Bool = false) throws -> Bool {
        let (changes, handle) = (outgoing(changes, touching: touching), handle)
        let outcome = try ask { try $0.commit(changes, to: handle, expecting: expected) }
        return try take(outcome, of: changes, expecting: expected)
    }

    /// Changes as the provider gets them.
    func outgoing(_ changes: consuming SessionPatch, touching: Bool) -> SessionPatch {
        changes.limits = manager.limits
        changes.touches = touching
        return changes
    }

    /// Takes over what came of changes; false when the record is at another version than expected.
    mutating func take(
        _ outcome: SessionCommitOutcome, of changes: SessionPatch, expecting expected: UInt64?
    ) throws -> Bool {
        switch outcome {
        case .committed(let version, let values, let successor):
            self.version = version
            try refresh(values, with: changes)
            // What others have changed meanwhile is in the version and not in the view: an update must not build on that.
            if values == nil, expected == nil { isStale = true }
            follow(successor)
            if let lifetime = changes.lifetime {
                adopt(lifetime)
                if view.user != nil { try noteJournal() }
            }
            if changes.touches { noteTouch() }
            try noteChange()
        case .emptied:
            try noteChange()
            begin(with: manager.configuration.lifetime)
            view = SessionValues()
            patch.removeAll()
            lease = nil
            cookie = .delete
        case .conflict(let record):
            adopt(record)
            return false
        case .gone:
            lose()
        case .overLimit(let error):
            throw error
        }
        return true
    }
}
