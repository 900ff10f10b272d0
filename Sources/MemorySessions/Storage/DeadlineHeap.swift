/// Slot numbers by deadline: a binary heap whose first entry is the next that may be due.
///
/// A kept deadline is a lower bound of the true one. A touch does not come here at all; who finds the bound reached
/// looks at the slot and moves the entry to where it belongs now (`update`). So a touch costs one write, and the order
/// needs no buckets: a clock that jumps a year is as good as one that steps a second.
/// A new deadline is mostly the latest of all: one comparison.
///
/// The position of each number is kept by the caller (`SlotOrders`), in one array for several heaps.
package struct DeadlineHeap {
    private var bounds: [Int64] = []
    package private(set) var numbers: [UInt32] = []

    package init() {}

    package var count: Int { bounds.count }

    /// The earliest bound and its slot.
    @inline(__always)
    package var first: (bound: Int64, number: UInt32)? {
        bounds.isEmpty ? nil : (bounds[0], numbers[0])
    }

    package mutating func insert(_ number: UInt32, bound: Int64, _ positions: inout [UInt32]) {
        bounds.append(bound)
        numbers.append(number)
        rise(from: bounds.count - 1, &positions)
    }

    package mutating func remove(_ number: UInt32, _ positions: inout [UInt32]) {
        let position = Int(positions[Int(number)])
        let bound = bounds.removeLast()
        let moved = numbers.removeLast()
        guard position < bounds.count else { return }
        put(moved, bound, at: position, &positions)
        settle(position, &positions)
    }

    package mutating func update(_ number: UInt32, bound: Int64, _ positions: inout [UInt32]) {
        let position = Int(positions[Int(number)])
        bounds[position] = bound
        settle(position, &positions)
    }

    /// Calls a slot by another number.
    mutating func renumber(_ number: UInt32, to new: UInt32, _ positions: inout [UInt32]) {
        let position = positions[Int(number)]
        numbers[Int(position)] = new
        positions[Int(new)] = position
    }

    /// Gives memory back after a peak.
    mutating func shrink() {
        bounds.shrink()
        numbers.shrink()
    }

    private mutating func settle(_ position: Int, _ positions: inout [UInt32]) {
        if position > 0, bounds[position] < bounds[(position - 1) / 2] {
            rise(from: position, &positions)
        } else {
            sink(from: position, &positions)
        }
    }

    private mutating func rise(from start: Int, _ positions: inout [UInt32]) {
        let bound = bounds[start]
        let number = numbers[start]
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard bound < bounds[parent] else { break }
            put(numbers[parent], bounds[parent], at: position, &positions)
            position = parent
        }
        put(number, bound, at: position, &positions)
    }

    private mutating func sink(from start: Int, _ positions: inout [UInt32]) {
        let bound = bounds[start]
        let number = numbers[start]
        var position = start
        while true {
            var child = 2 * position + 1
            guard child < bounds.count else { break }
            if child + 1 < bounds.count, bounds[child + 1] < bounds[child] { child += 1 }
            guard bounds[child] < bound else { break }
            put(numbers[child], bounds[child], at: position, &positions)
            position = child
        }
        put(number, bound, at: position, &positions)
    }

    private mutating func put(_ number: UInt32, _ bound: Int64, at position: Int, _ positions: inout [UInt32]) {
        bounds[position] = bound
        numbers[position] = number
        positions[Int(number)] = UInt32(position)
    }
}

extension Array {
    /// Moves the elements to a smaller place when three quarters of this one are empty.
    mutating func shrink() {
        guard capacity > 64, count * 4 < capacity else { return }
        var smaller: [Element] = []
        smaller.reserveCapacity(count * 2)
        smaller.append(contentsOf: self)
        self = smaller
    }
}
