internal import CPlatform
internal import Sessions

/// Slot numbers by session id: open addressing, linear probing, at most 7/8 full, no tombstones.
///
/// An entry holds the slot's number and 32 bits of the id, so that growing and removing look at no slot, and a probe of
/// a foreign entry hardly ever does. The ids kept are random and ours: no visitor can choose them to collide.
///
/// It also holds where the session's values are, as a hint: of a million sessions hardly one is in the processor's
/// cache, and memory can fetch slot and values at once when the second address need not come out of the first. A hint
/// may be wrong; only time is lost then.
struct IDTable {
    private struct Entry {
        var hash: UInt32 = 0
        /// Slot number + 1, 0 for an empty entry.
        var place: UInt32 = 0
        /// 32 bits of the values' address; the rest is in `upperBits`.
        var hint: UInt32 = 0

        @inline(__always)
        func isSlot(_ number: UInt32, hash: UInt32) -> Bool {
            place == number &+ 1 && self.hash == hash
        }
    }

    private var entries = [Entry](repeating: Entry(), count: 8)
    private var mask: UInt32 = 7
    private(set) var count = 0
    /// The upper bits of the address of the values that came last: those of most.
    private var upperBits: UInt = 0

    // Objects lie at multiples of 16.
    private static let hintShift: UInt = 4
    private static let hintBits: UInt = 36

    /// Other bits of the id than those that choose the shard.
    @inline(__always)
    static func hash(_ id: MemoryKey) -> UInt32 {
        UInt32(truncatingIfNeeded: id.word1)
    }

    /// The number whose slot holds `id`.
    @inline(__always)
    func find(_ id: MemoryKey, in pool: SlotPool) -> UInt32? {
        let hash = Self.hash(id)
        return entries.withUnsafeBufferPointer { entries -> UInt32? in
            var position = hash & mask
            while true {
                let entry = entries[Int(position)]
                if entry.place == 0 { return nil }
                if entry.hash == hash {
                    cplatform_prefetch(upperBits | (UInt(entry.hint) << Self.hintShift))
                    let number = entry.place &- 1
                    if pool.slot(number).pointee.id == id { return number }
                }
                position = (position &+ 1) & mask
            }
        }
    }

    mutating func insert(_ id: MemoryKey, number: UInt32, values: SessionValues) {
        if (count + 1) * 8 > entries.count * 7 { resize(to: entries.count * 2) }
        place(Entry(hash: Self.hash(id), place: number + 1, hint: hint(values)))
        count += 1
    }

    mutating func remove(_ id: MemoryKey, number: UInt32) {
        var hole = position(of: id, number: number)
        let mask = mask
        entries.withUnsafeMutableBufferPointer { entries in
            // Move back each later entry of the run that may stand in the hole, so that no probe ends early.
            var position = hole
            while true {
                position = (position &+ 1) & mask
                let entry = entries[Int(position)]
                if entry.place == 0 { break }
                if (position &- entry.hash) & mask >= (position &- hole) & mask {
                    entries[Int(hole)] = entry
                    hole = position
                }
            }
            entries[Int(hole)] = Entry()
        }
        count -= 1
        if entries.count > 64, count * 8 < entries.count { resize(to: entries.count / 2) }
    }

    /// Calls the slot of `id` by another number.
    mutating func renumber(_ id: MemoryKey, from number: UInt32, to new: UInt32) {
        entries[Int(position(of: id, number: number))].place = new + 1
    }

    /// Must follow a change of values, for the hint.
    mutating func valuesChanged(_ id: MemoryKey, number: UInt32, to values: SessionValues) {
        entries[Int(position(of: id, number: number))].hint = hint(values)
    }

    private mutating func hint(_ values: SessionValues) -> UInt32 {
        let address = values.address
        upperBits = (address >> Self.hintBits) << Self.hintBits
        return UInt32(truncatingIfNeeded: address >> Self.hintShift)
    }

    private func position(of id: MemoryKey, number: UInt32) -> UInt32 {
        let hash = Self.hash(id)
        return entries.withUnsafeBufferPointer { entries in
            var position = hash & mask
            while !entries[Int(position)].isSlot(number, hash: hash) {
                precondition(entries[Int(position)].place != 0, "a session is missing from its table")
                position = (position &+ 1) & mask
            }
            return position
        }
    }

    private mutating func resize(to capacity: Int) {
        let old = entries
        entries = [Entry](repeating: Entry(), count: capacity)
        mask = UInt32(capacity - 1)
        for entry in old where entry.place != 0 {
            place(entry)
        }
    }

    private mutating func place(_ entry: Entry) {
        let mask = mask
        entries.withUnsafeMutableBufferPointer { entries in
            var position = entry.hash & mask
            while entries[Int(position)].place != 0 {
                position = (position &+ 1) & mask
            }
            entries[Int(position)] = entry
        }
    }
}
