/// What an event is about, packed into its 64 bits.
enum EventKey {
    case exit
    case nudge
    case listener(Int)
    case connection(slot: Int, generation: UInt32)

    /// Set in the event of a connection whose peer sends no more, or of a socket that is broken. Slots and listeners are fewer
    /// by far.
    static let endMark: UInt64 = 1 << 31

    private static let listenerMark = UInt32.max
    private static let exitMark = UInt32.max - 1
    private static let nudgeMark = UInt32.max - 2
    /// The highest generation that is told from these.
    static let lastGeneration = UInt32.max - 3

    var packed: UInt64 {
        switch self {
        case .exit: UInt64(Self.exitMark) << 32
        case .nudge: UInt64(Self.nudgeMark) << 32
        case .listener(let index): UInt64(Self.listenerMark) << 32 | UInt64(index)
        case .connection(let slot, let generation): UInt64(generation) << 32 | UInt64(slot)
        }
    }

    init(packed: UInt64) {
        let low = Int(packed & (Self.endMark - 1))
        switch UInt32(packed >> 32) {
        case Self.exitMark: self = .exit
        case Self.nudgeMark: self = .nudge
        case Self.listenerMark: self = .listener(low)
        case let generation: self = .connection(slot: low, generation: generation)
        }
    }
}
