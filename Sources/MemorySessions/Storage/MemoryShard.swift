internal import Sessions

/// A part of the sessions, behind one lock: slots, the table of ids, the orders of deadlines.
///
/// Invariant: a slot is in the table and in the order of its kind exactly while it is in the pool, and its bound there
/// is never later than its deadline; it is in the index of users exactly while its kind is `user`.
/// Values that go are handed out, to be released after the lock.
struct MemoryShard {
    /// What an id leads to.
    enum Found {
        case none
        case alias(MemoryKey)
        case slot(UInt32, UnsafeMutablePointer<MemorySlot>)
    }

    let pool = SlotPool()
    var table = IDTable()
    var orders = SlotOrders()
    let ledger: MemoryLedger
    let users: UserIndex

    init(ledger: MemoryLedger, users: UserIndex) {
        self.ledger = ledger
        self.users = users
    }

    /// What `id` leads to at `now`; an expired slot counts as none. Notes that a session's id came back.
    @inline(__always)
    func find(_ id: MemoryKey, at now: Int64) -> Found {
        guard let number = table.find(id, in: pool) else { return .none }
        let slot = pool.slot(number)
        if slot.pointee.kind.isSession {
            guard slot.pointee.deadline > now else { return .none }
            if !slot.pointee.isSeen { slot.pointee.isSeen = true }
            return .slot(number, slot)
        }
        guard slot.pointee.kind == .alias, slot.pointee.idleDeadline > now, let successor = slot.pointee.successor
        else { return .none }
        return .alias(successor)
    }

    /// Slots in use: sessions and replaced ids, expired ones that were not collected included.
    var slotCount: Int { table.count }

    /// The slot of `id`, of whatever kind, expired or not.
    func slot(of id: MemoryKey) -> (number: UInt32, slot: UnsafeMutablePointer<MemorySlot>)? {
        table.find(id, in: pool).map { ($0, pool.slot($0)) }
    }

    /// True when a live session or a remembered id is in the way; a slot that expired is taken out into `expired`.
    mutating func isTaken(_ id: MemoryKey, at now: Int64, expired: inout MemorySlot?) -> Bool {
        guard let number = table.find(id, in: pool) else { return false }
        guard pool.slot(number).pointee.deadline <= now else { return true }
        let slot = remove(number)
        if slot.kind.isSession { ledger.expired(1) }
        expired = slot
        return false
    }

    // MARK: Slots that come and go

    /// Puts a new slot in; its bytes, and the session, are reserved in the ledger.
    ///
    /// - Parameter binding: The user and the serial for a slot of the kind `user`.
    mutating func insert(_ slot: MemorySlot, binding: (user: ByteString, serial: UInt64)?) {
        place(slot)
        ledger.changed(slot.kind, by: 1)
        // Restored sessions come in any order, see `MemoryStore.restore`.
        if let binding { enter(slot, binding, isSorted: !slot.isDigest) }
    }

    /// Takes a slot out, also of the ledger and the index.
    mutating func remove(_ number: UInt32) -> MemorySlot {
        let slot = take(number)
        if slot.isDigest { ledger.restored.removed() }
        ledger.notes.ended(slot)
        let user = slot.user
        if let user { users.remove(slot.id, user: user) }
        ledger.release(slot, cost: MemorySlot.cost(values: slot.values, user: user))
        return slot
    }

    /// Journals that a session is as it is now, with its user, if it has one.
    func journal(_ slot: MemorySlot) {
        guard ledger.journal != nil else { return }
        ledger.journal(.session(slot, serial: serial(of: slot)))
    }

    /// Journals that a session has got its id in place of another.
    func journal(_ slot: MemorySlot, from old: MemoryKey, graceEnd: Int64) {
        guard ledger.journal != nil else { return }
        ledger.journal(.rotation(slot, serial: serial(of: slot), from: old, graceEnd: graceEnd))
    }

    /// Journals that a session was ended.
    func journalRemoval(_ slot: MemorySlot) {
        guard slot.kind.isSession else { return }
        ledger.journal(.removal(slot.id, isDigest: slot.isDigest))
    }

    /// The number behind the user's reference to it; 0: none.
    private func serial(of slot: MemorySlot) -> UInt64 {
        slot.user.flatMap { users.serial(of: slot.id, user: $0) } ?? 0
    }

    /// Puts a slot in that moved; ledger and index stay as they are.
    mutating func place(_ slot: MemorySlot) {
        let number = pool.insert(slot)
        table.insert(slot.id, number: number, values: slot.values)
        orders.insert(number, slot.kind, bound: slot.bound)
    }

    /// Takes a slot out that moves; ledger and index stay as they are.
    mutating func take(_ number: UInt32) -> MemorySlot {
        orders.remove(number, pool.slot(number).pointee.kind)
        let slot = pool.remove(number)
        table.remove(slot.id, number: number)
        return slot
    }

    // MARK: Slots that change

    /// Must follow each change that can make a deadline earlier; a later one needs nothing.
    mutating func deadlineChanged(_ number: UInt32) {
        let slot = pool.slot(number)
        orders.update(number, slot.pointee.kind, bound: slot.pointee.bound)
    }

    /// Makes a session one of `binding`'s user, or anonymous, by a new log-in or log-out.
    mutating func bind(_ number: UInt32, from user: ByteString?, to binding: (user: ByteString, serial: UInt64)?) {
        let slot = pool.slot(number)
        if let user { users.remove(slot.pointee.id, user: user) }
        if let binding { enter(slot.pointee, binding, isSorted: true) }
        change(number, to: binding == nil ? .anonymous : .user)
    }

    private func enter(_ slot: MemorySlot, _ binding: (user: ByteString, serial: UInt64), isSorted: Bool) {
        users.insert(
            slot.id, user: binding.user, serial: binding.serial, lastSeen: slot.lastSeen, isSorted: isSorted)
    }

    /// Notes a visit.
    @inline(__always)
    mutating func noteVisit(_ slot: UnsafeMutablePointer<MemorySlot>, at now: Int64) {
        slot.pointee.lastSeen = now
        guard slot.pointee.kind == .user else { return }
        // Once in a minute or so for each session, and what lists and caps need to be short.
        if let user = slot.pointee.user { users.seen(slot.pointee.id, user: user, at: now) }
    }

    mutating func change(_ number: UInt32, to kind: MemoryKind) {
        let slot = pool.slot(number)
        guard slot.pointee.kind != kind else { return }
        orders.remove(number, slot.pointee.kind)
        ledger.changed(slot.pointee.kind, by: -1)
        slot.pointee.kind = kind
        ledger.changed(kind, by: 1)
        orders.insert(number, kind, bound: slot.pointee.bound)
    }

    /// Leaves the memory of an id in place of its session, which moves elsewhere.
    ///
    /// - Parameter values: What `MemorySlot.values(successor:)` made; their bytes are reserved.
    mutating func retire(_ number: UInt32, at now: Int64, grace: Int64, values: SessionValues) {
        let slot = pool.slot(number)
        orders.remove(number, slot.pointee.kind)
        slot.pointee.retire(at: now, grace: grace, values: values)
        ledger.changed(slot.pointee.kind, by: 1)
        orders.insert(number, slot.pointee.kind, bound: slot.pointee.bound)
    }
}
