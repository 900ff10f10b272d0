/// Numbers of things that are kept elsewhere, by a hash: open addressing, linear probing, at most 3/4 full, no
/// tombstones.
///
/// The hashes are of random numbers of our own making: no visitor can choose them to collide.
struct NumberTable {
    private struct Place {
        var hash: UInt32 = 0
        /// The number + 1, 0 for an empty place.
        var content: UInt32 = 0
    }

    private var places: [Place] = []
    private(set) var count = 0

    private static let leastCapacity = 8

    /// The number with this hash that `isWanted`.
    @inline(__always)
    func find(_ hash: UInt32, where isWanted: (UInt32) -> Bool) -> UInt32? {
        guard !places.isEmpty else { return nil }
        let mask = places.count - 1
        var position = Int(hash) & mask
        while places[position].content != 0 {
            let place = places[position]
            if place.hash == hash, isWanted(place.content - 1) { return place.content - 1 }
            position = (position + 1) & mask
        }
        return nil
    }

    mutating func insert(_ number: UInt32, hash: UInt32) {
        if (count + 1) * 4 > places.count * 3 { resize(to: max(Self.leastCapacity, places.count * 2)) }
        place(Place(hash: hash, content: number + 1))
        count += 1
    }

    mutating func remove(_ number: UInt32, hash: UInt32) {
        var hole = position(of: number, hash: hash)
        let mask = places.count - 1
        // Move back each later place of the run that may stand in the hole, so that no probe ends early.
        var position = (hole + 1) & mask
        while places[position].content != 0 {
            if (position &- Int(places[position].hash)) & mask >= (position &- hole) & mask {
                places[hole] = places[position]
                hole = position
            }
            position = (position + 1) & mask
        }
        places[hole] = Place()
        count -= 1
        if places.count > Self.leastCapacity, count * 8 < places.count { resize(to: places.count / 2) }
    }

    /// Calls a thing by another number.
    mutating func renumber(_ number: UInt32, to new: UInt32, hash: UInt32) {
        places[position(of: number, hash: hash)].content = new + 1
    }

    private func position(of number: UInt32, hash: UInt32) -> Int {
        let mask = places.count - 1
        var position = Int(hash) & mask
        while places[position].content != number + 1 {
            precondition(places[position].content != 0, "a number is missing from its table")
            position = (position + 1) & mask
        }
        return position
    }

    private mutating func resize(to capacity: Int) {
        let old = places
        places = [Place](repeating: Place(), count: capacity)
        for one in old where one.content != 0 { place(one) }
    }

    private mutating func place(_ new: Place) {
        let mask = places.count - 1
        var position = Int(new.hash) & mask
        while places[position].content != 0 { position = (position + 1) & mask }
        places[position] = new
    }
}
