/// Slots by number, in chunks that never move: growth copies nothing, however many there are.
///
/// Not thread-safe: the shard's lock is held around each call.
final class SlotPool {
    // Unsafe memory, safe because: a number is handed out by `insert` and dead after `remove`; a slot is initialised
    // exactly while its number is out (`isUsed`); chunks live as long as the pool.
    private static let chunkBits: UInt32 = 6
    private static let chunkCount = 1 << Int(chunkBits)

    private var chunks: [UnsafeMutablePointer<MemorySlot>] = []
    private var isUsed: [UInt64] = []
    private var free: [UInt32] = []
    private var fresh: UInt32 = 0

    deinit {
        for (position, chunk) in chunks.enumerated() {
            for offset in 0..<Self.chunkCount where isUsed[position] & (1 << UInt64(offset)) != 0 {
                (chunk + offset).deinitialize(count: 1)
            }
            chunk.deallocate()
        }
    }

    /// The slot of a number that is out.
    @inline(__always)
    func slot(_ number: UInt32) -> UnsafeMutablePointer<MemorySlot> {
        chunks[Int(number >> Self.chunkBits)] + Int(number & UInt32(Self.chunkCount - 1))
    }

    func insert(_ slot: MemorySlot) -> UInt32 {
        let number: UInt32
        if let reused = free.popLast() {
            number = reused
        } else {
            number = fresh
            fresh += 1
            if Int(number >> Self.chunkBits) == chunks.count {
                chunks.append(.allocate(capacity: Self.chunkCount))
                isUsed.append(0)
            }
        }
        self.slot(number).initialize(to: slot)
        isUsed[Int(number >> Self.chunkBits)] |= 1 << UInt64(number & UInt32(Self.chunkCount - 1))
        return number
    }

    func remove(_ number: UInt32) -> MemorySlot {
        let slot = slot(number).move()
        isUsed[Int(number >> Self.chunkBits)] &= ~(1 << UInt64(number & UInt32(Self.chunkCount - 1)))
        free.append(number)
        return slot
    }
}
