/// A shard's slots by deadline, each kind by itself: what expires next, and what goes first when room is needed.
///
/// Sessions with equal timeouts are in the order of their last visits, once the first ones are looked at.
struct SlotOrders {
    private var heaps = [DeadlineHeap](repeating: DeadlineHeap(), count: MemoryKind.count)
    /// Position in its heap, by slot number.
    private var positions: [UInt32] = []

    func count(_ kind: MemoryKind) -> Int {
        heaps[kind.order].count
    }

    /// The earliest bound of a kind and its slot.
    @inline(__always)
    func first(_ kind: MemoryKind) -> (bound: Int64, number: UInt32)? {
        heaps[kind.order].first
    }

    /// One of the slots of a kind, in no order but for the first.
    @inline(__always)
    func number(_ kind: MemoryKind, at position: Int) -> UInt32 {
        heaps[kind.order].numbers[position]
    }

    /// The earliest bound of all, and its slot.
    var first: (bound: Int64, number: UInt32)? {
        var first: (bound: Int64, number: UInt32)?
        for order in heaps.indices {
            guard let candidate = heaps[order].first else { continue }
            if let known = first, known.bound <= candidate.bound { continue }
            first = candidate
        }
        return first
    }

    mutating func insert(_ number: UInt32, _ kind: MemoryKind, bound: Int64) {
        while positions.count <= Int(number) { positions.append(0) }
        heaps[kind.order].insert(number, bound: bound, &positions)
    }

    mutating func remove(_ number: UInt32, _ kind: MemoryKind) {
        heaps[kind.order].remove(number, &positions)
    }

    mutating func update(_ number: UInt32, _ kind: MemoryKind, bound: Int64) {
        heaps[kind.order].update(number, bound: bound, &positions)
    }

    /// Calls a slot by another number, which is lower.
    mutating func renumber(_ number: UInt32, to new: UInt32, _ kind: MemoryKind) {
        heaps[kind.order].renumber(number, to: new, &positions)
    }

    /// Gives memory back after a peak; no number reaches `capacity`.
    mutating func shrink(capacity: Int) {
        for order in heaps.indices { heaps[order].shrink() }
        if positions.count > capacity { positions.removeLast(positions.count - capacity) }
        positions.shrink()
    }
}
