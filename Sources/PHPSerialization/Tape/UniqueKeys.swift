/// Finds a key that is given twice, in linear time whatever the keys are.
struct UniqueKeys {
    private static let few = 32

    private var table: [Int32] = []

    /// The number of the first key that came before, with `digest` as of ``Node/key``; nil if there is none.
    ///
    /// Few keys are compared with each other. For many there is a table, with the standard library's seeded hash:
    /// nobody can choose keys that collide there.
    mutating func duplicate(
        digests: [UInt32], key: (Int) throws(PHPSerializationError) -> PHPKey
    ) throws(PHPSerializationError) -> Int? {
        guard digests.count > Self.few else {
            for later in digests.indices.dropFirst() {
                for earlier in 0..<later where digests[earlier] == digests[later] {
                    if try key(earlier) == key(later) { return later }
                }
            }
            return nil
        }
        // A power of two, at most half full.
        let mask = (1 << (Int.bitWidth - (2 * digests.count).leadingZeroBitCount)) - 1
        if table.count <= mask { table = [Int32](repeating: -1, count: mask + 1) }
        for place in 0...mask { table[place] = -1 }
        for later in digests.indices {
            let own = try key(later)
            var place = own.hashValue & mask
            while table[place] >= 0 {
                let earlier = Int(table[place])
                if digests[earlier] == digests[later], try key(earlier) == own { return later }
                place = (place + 1) & mask
            }
            table[place] = Int32(later)
        }
        return nil
    }
}
