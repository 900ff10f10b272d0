internal import GalletaPlatform
internal import Sessions

/// A part of the index of users: each user's sessions in the order of their last visits.
///
/// Found by id and by serial, put in and taken out without a look at the others, however many a user has.
struct UserPart {
    /// A session of a user.
    struct Entry {
        /// Stays when the id changes, and is another one after each log-in.
        let serial: UInt64
        var id: MemoryKey
    }

    private struct Node {
        var entry: Entry
        var lastSeen: Int64
        var newer: UInt32
        var older: UInt32
        /// Place of the user in `holders`.
        var holder: UInt32
    }

    private struct Holder {
        var newest = UserPart.none
        var oldest = UserPart.none
        var count = 0
        /// The user's place in `UserRanks`.
        var rank = UserRanks.none
    }

    private static let none = UInt32.max

    private var nodes: [Node] = []
    private var byID = NumberTable()
    private var bySerial = NumberTable()
    private var holders: [Holder] = []
    private var freeHolders: [UInt32] = []
    private var byName: [ByteString: UInt32] = [:]

    /// The number of sessions.
    var count: Int { nodes.count }

    // MARK: Looks

    func count(of user: ByteString) -> Int {
        byName[user].map { holders[Int($0)].count } ?? 0
    }

    func entry(_ serial: UInt64, of user: ByteString) -> Entry? {
        guard let holder = byName[user] else { return nil }
        return number(serial, of: holder).map { nodes[Int($0)].entry }
    }

    func entry(_ id: MemoryKey, of user: ByteString) -> Entry? {
        guard let holder = byName[user], let number = number(id), nodes[Int(number)].holder == holder else {
            return nil
        }
        return nodes[Int(number)].entry
    }

    /// The first of a user's sessions, the one last seen first.
    func newest(of user: ByteString, limit: Int) -> [Entry] {
        guard let holder = byName[user], limit > 0 else { return [] }
        var found: [Entry] = []
        found.reserveCapacity(min(limit, holders[Int(holder)].count))
        var next = holders[Int(holder)].newest
        while next != Self.none, found.count < limit {
            found.append(nodes[Int(next)].entry)
            next = nodes[Int(next)].older
        }
        return found
    }

    /// The session of a user that was not seen for the longest time, but for one.
    func oldest(of user: ByteString, sparing spared: MemoryKey?) -> Entry? {
        guard let holder = byName[user] else { return nil }
        let oldest = holders[Int(holder)].oldest
        guard nodes[Int(oldest)].entry.id == spared else { return nodes[Int(oldest)].entry }
        let next = nodes[Int(oldest)].newer
        return next == Self.none ? nil : nodes[Int(next)].entry
    }

    // MARK: Changes

    /// Puts a session in.
    ///
    /// - Parameter isSorted: False leaves the order to `sort`.
    mutating func insert(
        _ entry: Entry, of user: ByteString, lastSeen: Int64, isSorted: Bool, ranks: Locked<UserRanks>
    ) {
        let holder = byName[user] ?? addHolder(user)
        let number = UInt32(nodes.count)
        nodes.append(
            Node(entry: entry, lastSeen: lastSeen, newer: Self.none, older: Self.none, holder: holder))
        byID.insert(number, hash: Self.hash(entry.id))
        bySerial.insert(number, hash: Self.hash(entry.serial))
        link(number, isSorted: isSorted)
        holders[Int(holder)].count += 1
        rank(user, holder, in: ranks)
    }

    mutating func remove(_ id: MemoryKey, of user: ByteString, ranks: Locked<UserRanks>) {
        guard let number = number(id) else { return }
        let holder = nodes[Int(number)].holder
        unlink(number)
        byID.remove(number, hash: Self.hash(id))
        bySerial.remove(number, hash: Self.hash(nodes[Int(number)].entry.serial))
        holders[Int(holder)].count -= 1
        rank(user, holder, in: ranks)
        if holders[Int(holder)].count == 0 {
            byName[user] = nil
            freeHolders.append(holder)
        }
        fill(number)
        shrink()
    }

    mutating func move(_ id: MemoryKey, to new: MemoryKey) {
        guard let number = number(id) else { return }
        byID.remove(number, hash: Self.hash(id))
        nodes[Int(number)].entry.id = new
        byID.insert(number, hash: Self.hash(new))
    }

    /// Notes a visit.
    mutating func seen(_ id: MemoryKey, at now: Int64) {
        guard let number = number(id) else { return }
        unlink(number)
        nodes[Int(number)].lastSeen = now
        link(number, isSorted: true)
    }

    /// Puts each user's sessions in order, after some were put in without.
    mutating func sort() {
        var numbers = [[UInt32]](repeating: [], count: holders.count)
        for number in nodes.indices { numbers[Int(nodes[number].holder)].append(UInt32(number)) }
        for holder in holders.indices where numbers[holder].count > 1 {
            holders[holder].newest = Self.none
            holders[holder].oldest = Self.none
            for number in numbers[holder].sorted(by: { nodes[Int($0)].lastSeen < nodes[Int($1)].lastSeen }) {
                link(number, isSorted: true)
            }
        }
    }

    // MARK: Parts

    // Other bits than those that choose the shard of an id.
    private static func hash(_ id: MemoryKey) -> UInt32 { UInt32(truncatingIfNeeded: id.word2) }

    private static func hash(_ serial: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: serial) }

    private func number(_ id: MemoryKey) -> UInt32? {
        byID.find(Self.hash(id)) { nodes[Int($0)].entry.id == id }
    }

    private func number(_ serial: UInt64, of holder: UInt32) -> UInt32? {
        bySerial.find(Self.hash(serial)) {
            nodes[Int($0)].entry.serial == serial && nodes[Int($0)].holder == holder
        }
    }

    /// Puts a session into its user's list: mostly at the front, since it was seen just now.
    private mutating func link(_ number: UInt32, isSorted: Bool) {
        let holder = Int(nodes[Int(number)].holder)
        var (newer, older) = (Self.none, holders[holder].newest)
        while isSorted, older != Self.none, nodes[Int(older)].lastSeen > nodes[Int(number)].lastSeen {
            (newer, older) = (older, nodes[Int(older)].older)
        }
        nodes[Int(number)].newer = newer
        nodes[Int(number)].older = older
        join(newer, number, in: holder)
        join(number, older, in: holder)
    }

    private mutating func unlink(_ number: UInt32) {
        let node = nodes[Int(number)]
        join(node.newer, node.older, in: Int(node.holder))
    }

    /// Makes two sessions neighbours; `none` stands for the end of the list.
    private mutating func join(_ newer: UInt32, _ older: UInt32, in holder: Int) {
        if newer == Self.none { holders[holder].newest = older } else { nodes[Int(newer)].older = older }
        if older == Self.none { holders[holder].oldest = newer } else { nodes[Int(older)].newer = newer }
    }

    /// Moves the last node into the place of one that was taken out.
    private mutating func fill(_ number: UInt32) {
        let last = UInt32(nodes.count - 1)
        let node = nodes.removeLast()
        guard number != last else { return }
        nodes[Int(number)] = node
        byID.renumber(last, to: number, hash: Self.hash(node.entry.id))
        bySerial.renumber(last, to: number, hash: Self.hash(node.entry.serial))
        join(node.newer, number, in: Int(node.holder))
        join(number, node.older, in: Int(node.holder))
    }

    private mutating func addHolder(_ user: ByteString) -> UInt32 {
        let number: UInt32
        if let free = freeHolders.popLast() {
            number = free
            holders[Int(number)] = Holder()
        } else {
            number = UInt32(holders.count)
            holders.append(Holder())
        }
        byName[user] = number
        return number
    }

    private mutating func rank(_ user: ByteString, _ holder: UInt32, in ranks: Locked<UserRanks>) {
        let (count, rank) = (holders[Int(holder)].count, holders[Int(holder)].rank)
        // Most users have one session: they are no concern of others.
        guard count > 1 || rank != UserRanks.none else { return }
        ranks.withLock { $0.change(user, to: count, at: &holders[Int(holder)].rank) }
    }

    /// Gives memory back when the part is mostly empty; as rare as growing, and as short.
    private mutating func shrink() {
        nodes.shrink()
        guard holders.count > 64, byName.count * 8 < holders.count else { return }
        var places = [UInt32](repeating: Self.none, count: holders.count)
        var kept: [Holder] = []
        var names: [ByteString: UInt32] = [:]
        kept.reserveCapacity(byName.count * 2)
        names.reserveCapacity(byName.count * 2)
        for (name, old) in byName {
            places[Int(old)] = UInt32(kept.count)
            names[name] = UInt32(kept.count)
            kept.append(holders[Int(old)])
        }
        for number in nodes.indices { nodes[number].holder = places[Int(nodes[number].holder)] }
        (holders, byName, freeHolders) = (kept, names, [])
    }
}
