/// Slots by number, in chunks that never move: growth copies nothing, however many there are.
///
/// The lowest free number is handed out first, so that the highest chunks can be given back.
/// Not thread-safe: the shard's lock is held around each call.
final class SlotPool {
    // Unsafe memory, safe because: a number is handed out by `insert` or `move` and dead after `remove` or `move`; a
    // slot is initialised exactly while its number is out (`isUsed`); only chunks without such slots are given back.
    private static let chunkBits: UInt32 = 6
    private static let chunkCount = 1 << Int(chunkBits)

    private var chunks: [UnsafeMutablePointer<MemorySlot>] = []
    private var isUsed: [UInt64] = []
    /// No chunk before this one has a free place.
    private var firstFree = 0
    private(set) var count = 0

    deinit {
        for (position, chunk) in chunks.enumerated() {
            for offset in 0..<Self.chunkCount where isUsed[position] & (1 << UInt64(offset)) != 0 {
                (chunk + offset).deinitialize(count: 1)
            }
            chunk.deallocate()
        }
    }

    /// All numbers are below.
    var capacity: Int { chunks.count * Self.chunkCount }

    /// True when so many places are free that moving slots gives memory back.
    var isSparse: Bool {
        capacity - count > max(2 * Self.chunkCount, capacity / 4)
    }

    /// The slot of a number that is out.
    @inline(__always)
    func slot(_ number: UInt32) -> UnsafeMutablePointer<MemorySlot> {
        chunks[Int(number >> Self.chunkBits)] + Int(number & UInt32(Self.chunkCount - 1))
    }

    func insert(_ slot: MemorySlot) -> UInt32 {
        let number = takeLowest()
        self.slot(number).initialize(to: slot)
        return number
    }

    func remove(_ number: UInt32) -> MemorySlot {
        let slot = slot(number).move()
        release(number)
        return slot
    }

    /// Chunks that there are, of 64 places each.
    var chunkTotal: Int { chunks.count }

    /// Calls `body` with each slot of a chunk that is out; with none if there is no such chunk.
    func forEach(inChunk chunk: Int, _ body: (MemorySlot) -> Void) {
        guard chunk < chunks.count else { return }
        for offset in 0..<Self.chunkCount where isUsed[chunk] & (1 << UInt64(offset)) != 0 {
            body(chunks[chunk][offset])
        }
    }

    /// The highest number that is out; nil when none is.
    var last: UInt32? {
        guard let chunk = isUsed.lastIndex(where: { $0 != 0 }) else { return nil }
        return UInt32(chunk) << Self.chunkBits | UInt32(63 - isUsed[chunk].leadingZeroBitCount)
    }

    /// Moves the slot of a number to the lowest free one, which it returns.
    func move(_ number: UInt32) -> UInt32 {
        let new = takeLowest()
        slot(new).moveInitialize(from: slot(number), count: 1)
        release(number)
        return new
    }

    /// Gives the last chunk back if it is empty.
    func dropLast() -> Bool {
        guard isUsed.last == 0 else { return false }
        chunks.removeLast().deallocate()
        isUsed.removeLast()
        firstFree = min(firstFree, chunks.count)
        return true
    }

    private func takeLowest() -> UInt32 {
        while firstFree < chunks.count, isUsed[firstFree] == .max { firstFree += 1 }
        if firstFree == chunks.count {
            chunks.append(.allocate(capacity: Self.chunkCount))
            isUsed.append(0)
        }
        let offset = (~isUsed[firstFree]).trailingZeroBitCount
        isUsed[firstFree] |= 1 << UInt64(offset)
        count += 1
        return UInt32(firstFree) << Self.chunkBits | UInt32(offset)
    }

    private func release(_ number: UInt32) {
        let chunk = Int(number >> Self.chunkBits)
        isUsed[chunk] &= ~(1 << UInt64(number & UInt32(Self.chunkCount - 1)))
        firstFree = min(firstFree, chunk)
        count -= 1
    }
}
