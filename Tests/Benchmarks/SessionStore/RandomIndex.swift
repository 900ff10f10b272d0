/// A quick row of random indices (xorshift): the generator must not be what is measured.
struct RandomIndex {
    private var state: UInt64

    init(seed: Int) {
        state = UInt64(truncatingIfNeeded: seed + 1) &* 0x9E37_79B9_7F4A_7C15
    }

    @inline(__always)
    mutating func next(below bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(truncatingIfNeeded: state.multipliedFullWidth(by: UInt64(bound)).high)
    }
}
