internal import GalletaPlatform
internal import MemorySessions

/// The sessions of a store in memory, the order in which they end, and whose they are.
///
/// Times are nanoseconds since 1970 by the store's clock. A session whose deadline has come is never given out.
/// For one thread at a time.
struct MemoryTable {
    struct Session {
        fileprivate(set) var digest: IDDigest
        var bytes: [UInt8]
        /// When it ends if nobody uses it.
        var deadline: Int64
        var owner: SessionOwner?
        /// What it is called in a list of its user's sessions.
        var reference: UInt64
        /// Another one after each change of its bytes.
        var version: UInt64

        init(
            digest: IDDigest, bytes: [UInt8], deadline: Int64, owner: SessionOwner?, reference: UInt64 = 0,
            version: UInt64 = 0
        ) {
            (self.digest, self.bytes, self.deadline, self.owner) = (digest, bytes, deadline, owner)
            (self.reference, self.version) = (reference, version)
        }

        var user: ByteString? { owner?.user }
    }

    /// Beside a session's bytes: its slot, its places in the tables, its blocks' heads.
    private static let overhead = 256

    private let maxSessions: Int
    private let maxBytes: Int
    private var slots: [Session?] = []
    private var freeSlots: [Int] = []
    private var numbers: [IDDigest: Int] = [:]
    /// Slots, the session that ends first on top: those without a user, and those with one.
    private var heaps = [DeadlineHeap(), DeadlineHeap()]
    /// Where each slot stands in its heap.
    private var places: [UInt32] = []
    private var users: [ByteString: [Int]] = [:]
    private var versions: UInt64 = 0
    private(set) var byteCount = 0
    /// Sessions that made room for others, and those that had ended.
    private(set) var evictions = 0
    private(set) var expirations = 0
    /// What was not taken for want of room.
    private(set) var refusals = 0
    /// What has changed since somebody began to look through all slots.
    var changes: Set<IDDigest>?
    /// Where log-ins, log-outs and changes of the id of who is logged in go.
    var journal: StateJournal?
    /// The sequences of those of which it may not be known yet whether they are on the disk, by id.
    private var unsettled: [IDDigest: UInt64] = [:]
    /// So many are kept before those are let go of that are settled.
    private var unsettledLimit = 64

    init(maxSessions: Int, maxBytes: Int) {
        self.maxSessions = maxSessions
        self.maxBytes = maxBytes
    }

    var count: Int { numbers.count }

    /// Sessions with a user.
    var userCount: Int { heaps[1].count }

    // MARK: Sessions

    /// The session, if there is one that has not ended.
    mutating func find(_ digest: IDDigest, at now: Int64) -> Session? {
        guard let number = number(of: digest, at: now) else { return nil }
        return slots[number]!
    }

    /// Puts a session's bytes in the place of those that it has, or begins it.
    ///
    /// - Parameter exceedsCaps: Whether nobody makes room for it.
    /// - Returns: False without room, even if all sessions without a user make room. All is as before then.
    mutating func put(
        _ digest: IDDigest, _ bytes: [UInt8], deadline: Int64, owner: SessionOwner?, exceedsCaps: Bool = false,
        at now: Int64
    ) -> Bool {
        let number = number(of: digest, at: now)
        let old = number.map { Self.cost(slots[$0]!) } ?? 0
        let new = Self.cost(bytes, owner?.user)
        guard
            exceedsCaps
                || makeRoom(
                    sessions: number == nil ? 1 : 0, bytes: new - old, keeping: number, isGuest: owner == nil, at: now)
        else {
            refusals += 1
            return false
        }
        versions += 1
        changes?.insert(digest)
        byteCount += new - old
        guard let number else {
            let number = insert(
                Session(
                    digest: digest, bytes: bytes, deadline: deadline, owner: owner, reference: 0, version: versions))
            if owner != nil { journal(.session(slots[number]!), of: digest) }
            return true
        }
        slots[number]!.bytes = bytes
        slots[number]!.version = versions
        let isLogIn = slots[number]!.owner != owner
        if slots[number]!.user != owner?.user { setUser(owner, of: number) } else { slots[number]!.owner = owner }
        setDeadline(deadline, of: number)
        if isLogIn { journal(.session(slots[number]!), of: digest) }
        return true
    }

    /// False without the session.
    mutating func setDeadline(_ deadline: Int64, of digest: IDDigest, at now: Int64) -> Bool {
        guard let number = number(of: digest, at: now) else { return false }
        changes?.insert(digest)
        setDeadline(deadline, of: number)
        return true
    }

    /// False without the session.
    mutating func remove(_ digest: IDDigest, at now: Int64) -> Bool {
        guard let number = number(of: digest, at: now) else { return false }
        if slots[number]!.owner != nil { journal(.removal(digest), of: digest) }
        remove(number)
        return true
    }

    /// Where the journal must be on the disk before anybody is told of a change of this id; nil: it is, or nothing of it is in it.
    ///
    /// A log-out may be another's, a moment ago: who is told that nobody is logged in, is told of that one.
    mutating func journalEnd(of digest: IDDigest) -> UInt64? {
        guard let sequence = unsettled[digest] else { return nil }
        if journal?.isOpen(sequence) ?? false { return sequence }
        unsettled[digest] = nil
        return nil
    }

    /// Gives a session another id. False without the session, or with another of that id.
    mutating func rename(_ digest: IDDigest, to new: IDDigest, at now: Int64) -> Bool {
        guard let number = number(of: digest, at: now), self.number(of: new, at: now) == nil else { return false }
        changes?.insert(digest)
        changes?.insert(new)
        numbers[digest] = nil
        numbers[new] = number
        slots[number]!.digest = new
        if slots[number]!.owner != nil {
            journal(.rotation(from: digest, slots[number]!), of: new)
            unsettled[digest] = unsettled[new]
        }
        return true
    }

    /// Puts a session in as it was saved, in the place of an earlier one. False without room; then there is none.
    ///
    /// - Parameter exceedsCaps: As in `put`.
    mutating func restore(_ session: Session, exceedsCaps: Bool, at now: Int64) -> Bool {
        guard
            put(
                session.digest, session.bytes, deadline: session.deadline, owner: session.owner,
                exceedsCaps: exceedsCaps, at: now),
            let number = numbers[session.digest]
        else {
            _ = remove(session.digest, at: now)
            return false
        }
        slots[number]!.reference = session.reference
        return true
    }

    /// Removes sessions that have ended, so many at most. True if there may be more of them.
    mutating func sweep(limit: Int, at now: Int64) -> Bool {
        for _ in 0..<limit {
            let first = heaps.compactMap(\.first).first { $0.bound <= now }
            guard let first else { return false }
            expirations += 1
            remove(Int(first.number))
        }
        return true
    }

    // MARK: Users

    /// The live sessions of a user, the one last used first.
    func sessions(of user: ByteString, at now: Int64) -> [Session] {
        (users[user] ?? []).map { slots[$0]! }.filter { $0.deadline > now }.sorted { $0.deadline > $1.deadline }
    }

    // MARK: All of them

    /// How many places there are to look through.
    var slotCount: Int { slots.count }

    func sessions(inSlots range: Range<Int>) -> [Session] {
        slots[range.clamped(to: 0..<slots.count)].compactMap { $0 }
    }

    // MARK: Inside

    private static func cost(_ session: Session) -> Int { cost(session.bytes, session.user) }

    private static func cost(_ bytes: [UInt8], _ user: ByteString?) -> Int {
        overhead + bytes.count + (user?.count ?? 0)
    }

    private mutating func number(of digest: IDDigest, at now: Int64) -> Int? {
        guard let number = numbers[digest] else { return nil }
        guard slots[number]!.deadline > now else {
            expirations += 1
            remove(number)
            return nil
        }
        return number
    }

    /// Of what is in the way those that have ended go first, then those without a user that end first; a session with a user
    /// goes for another with one only.
    private mutating func makeRoom(sessions: Int, bytes: Int, keeping kept: Int?, isGuest: Bool, at now: Int64) -> Bool
    {
        guard Self.overhead + bytes <= maxBytes else { return false }
        while count + sessions > maxSessions || (bytes > 0 && byteCount + bytes > maxBytes) {
            let ended = heaps.compactMap(\.first).first { $0.bound <= now && Int($0.number) != kept }
            guard
                let victim = ended.map({ Int($0.number) }) ?? victim(in: 0, but: kept)
                    ?? (isGuest ? nil : victim(in: 1, but: kept))
            else {
                return false
            }
            if ended == nil {
                evictions += 1
                // It shall not come back in the place of whom it made room for.
                let digest = slots[victim]!.digest
                if slots[victim]!.owner != nil { journal(.removal(digest), of: digest) }
            } else {
                expirations += 1
            }
            remove(victim)
        }
        return true
    }

    private func victim(in heap: Int, but kept: Int?) -> Int? {
        let order = heaps[heap].numbers.lazy.map { Int($0) }
        guard let first = order.first, first == kept else { return order.first }
        // One of the two below the top is the next.
        return order.dropFirst().prefix(2).min { slots[$0]!.deadline < slots[$1]!.deadline }
    }

    private mutating func insert(_ session: Session) -> Int {
        let number: Int
        if let free = freeSlots.popLast() {
            number = free
            slots[number] = session
        } else {
            number = slots.count
            slots.append(session)
            places.append(0)
        }
        numbers[session.digest] = number
        slots[number]!.reference = .random(in: 1 ... .max)
        if let user = session.user { users[user, default: []].append(number) }
        push(number)
        return number
    }

    private mutating func remove(_ number: Int) {
        let session = slots[number]!
        changes?.insert(session.digest)
        pull(number)
        if let user = session.user { leave(user, number) }
        numbers[session.digest] = nil
        slots[number] = nil
        freeSlots.append(number)
        byteCount -= Self.cost(session)
    }

    private mutating func setUser(_ owner: SessionOwner?, of number: Int) {
        pull(number)
        if let old = slots[number]!.user { leave(old, number) }
        slots[number]!.owner = owner
        // To another user it is another session.
        slots[number]!.reference = .random(in: 1 ... .max)
        if let user = owner?.user { users[user, default: []].append(number) }
        push(number)
    }

    private mutating func leave(_ user: ByteString, _ number: Int) {
        users[user]?.removeAll { $0 == number }
        if users[user]?.isEmpty == true { users[user] = nil }
    }

    private mutating func journal(_ entry: MemoryEntry, of digest: IDDigest) {
        guard let journal else { return }
        unsettled[digest] = journal.append(entry)
        guard unsettled.count > unsettledLimit else { return }
        unsettled = unsettled.filter { journal.isOpen($0.value) }
        // Where the disk hangs there are more and more.
        unsettledLimit = max(64, 2 * unsettled.count)
    }

    private func heap(of number: Int) -> Int { slots[number]!.owner == nil ? 0 : 1 }

    private mutating func setDeadline(_ deadline: Int64, of number: Int) {
        slots[number]!.deadline = deadline
        heaps[heap(of: number)].update(UInt32(number), bound: deadline, &places)
    }

    private mutating func push(_ number: Int) {
        heaps[heap(of: number)].insert(UInt32(number), bound: slots[number]!.deadline, &places)
    }

    private mutating func pull(_ number: Int) {
        heaps[heap(of: number)].remove(UInt32(number), &places)
    }
}
