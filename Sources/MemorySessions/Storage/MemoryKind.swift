/// What a slot stands for, and with that in which of its shard's orders it is.
enum MemoryKind: UInt8, CaseIterable {
    /// An id that a rotation replaced, in its grace: leads to its successor.
    case alias
    /// An id whose grace is over: leads nowhere, remembered to notice its reuse.
    case retired
    /// A session whose id never came back, unless the slot says that it did.
    case fresh
    /// A session without a user.
    case anonymous
    /// A session with a user: never evicted.
    case user

    /// The number of kinds.
    static let count = 5

    /// False for the remains of a rotation.
    @inline(__always)
    var isSession: Bool { rawValue >= MemoryKind.fresh.rawValue }

    var order: Int { Int(rawValue) }
}
