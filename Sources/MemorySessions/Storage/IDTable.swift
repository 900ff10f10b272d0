internal import Sessions

/// Slot numbers by session id: open addressing, linear probing, at most 7/8 full, no tombstones.
///
/// An entry holds the slot's number and 32 bits of the id, so that growing and removing look at no slot, and a probe of
/// a foreign entry hardly ever does. The ids kept are random and ours: no visitor can choose them to collide.
struct IDTable {
    /// High half: hash. Low half: slot number + 1, 0 for an empty entry.
    private var entries = [UInt64](repeating: 0, count: 8)
    private var mask: UInt32 = 7
    private(set) var count = 0

    /// Other bits of the id than those that choose the shard.
    @inline(__always)
    static func hash(_ id: SessionID) -> UInt32 {
        UInt32(truncatingIfNeeded: id.word1)
    }

    /// The number whose slot holds `id`.
    @inline(__always)
    func find(_ id: SessionID, in pool: SlotPool) -> UInt32? {
        let hash = Self.hash(id)
        return entries.withUnsafeBufferPointer { entries in
            var position = hash & mask
            while true {
                let entry = entries[Int(position)]
                if entry == 0 { return nil }
                if UInt32(truncatingIfNeeded: entry >> 32) == hash {
                    let number = UInt32(truncatingIfNeeded: entry) &- 1
                    if pool.slot(number).pointee.id == id { return number }
                }
                position = (position &+ 1) & mask
            }
        }
    }

    mutating func insert(_ id: SessionID, number: UInt32) {
        if (count + 1) * 8 > entries.count * 7 { resize(to: entries.count * 2) }
        place(UInt64(Self.hash(id)) << 32 | UInt64(number + 1))
        count += 1
    }

    mutating func remove(_ id: SessionID, number: UInt32) {
        let mask = mask
        entries.withUnsafeMutableBufferPointer { entries in
            let wanted = UInt64(Self.hash(id)) << 32 | UInt64(number + 1)
            var hole = Self.hash(id) & mask
            while entries[Int(hole)] != wanted {
                precondition(entries[Int(hole)] != 0, "a session is missing from its table")
                hole = (hole &+ 1) & mask
            }
            // Move back each later entry of the run that may stand in the hole, so that no probe ends early.
            var position = hole
            while true {
                position = (position &+ 1) & mask
                let entry = entries[Int(position)]
                if entry == 0 { break }
                let home = UInt32(truncatingIfNeeded: entry >> 32) & mask
                if (position &- home) & mask >= (position &- hole) & mask {
                    entries[Int(hole)] = entry
                    hole = position
                }
            }
            entries[Int(hole)] = 0
        }
        count -= 1
        if entries.count > 64, count * 8 < entries.count { resize(to: entries.count / 2) }
    }

    /// Calls the slot of `id` by another number.
    mutating func renumber(_ id: SessionID, from number: UInt32, to new: UInt32) {
        let hash = Self.hash(id)
        let wanted = UInt64(hash) << 32 | UInt64(number + 1)
        var position = hash & mask
        while entries[Int(position)] != wanted {
            precondition(entries[Int(position)] != 0, "a session is missing from its table")
            position = (position &+ 1) & mask
        }
        entries[Int(position)] = UInt64(hash) << 32 | UInt64(new + 1)
    }

    private mutating func resize(to capacity: Int) {
        let old = entries
        entries = [UInt64](repeating: 0, count: capacity)
        mask = UInt32(capacity - 1)
        for entry in old where entry != 0 {
            place(entry)
        }
    }

    private mutating func place(_ entry: UInt64) {
        let mask = mask
        entries.withUnsafeMutableBufferPointer { entries in
            var position = UInt32(truncatingIfNeeded: entry >> 32) & mask
            while entries[Int(position)] != 0 {
                position = (position &+ 1) & mask
            }
            entries[Int(position)] = entry
        }
    }
}
