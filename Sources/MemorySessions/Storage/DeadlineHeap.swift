/// Slot numbers by deadline: a binary heap whose first entry is the next that may be due.
///
/// A kept deadline is a lower bound of the true one. A touch does not come here at all; who finds the bound reached
/// looks at the slot and moves the entry to where it belongs now (`update`). So a touch costs one write, and the order
/// needs no buckets: a clock that jumps a year is as good as one that steps a second.
/// A new deadline is mostly the latest of all: one comparison.
struct DeadlineHeap {
    private var bounds: [Int64] = []
    private var numbers: [UInt32] = []
    /// Position by slot number.
    private var positions: [UInt32] = []

    /// The earliest bound and its slot.
    var first: (bound: Int64, number: UInt32)? {
        bounds.isEmpty ? nil : (bounds[0], numbers[0])
    }

    mutating func insert(_ number: UInt32, bound: Int64) {
        while positions.count <= Int(number) { positions.append(0) }
        bounds.append(bound)
        numbers.append(number)
        rise(from: bounds.count - 1)
    }

    mutating func remove(_ number: UInt32) {
        let position = Int(positions[Int(number)])
        let bound = bounds.removeLast()
        let moved = numbers.removeLast()
        guard position < bounds.count else { return }
        put(moved, bound, at: position)
        settle(position)
    }

    mutating func update(_ number: UInt32, bound: Int64) {
        let position = Int(positions[Int(number)])
        bounds[position] = bound
        settle(position)
    }

    private mutating func settle(_ position: Int) {
        if position > 0, bounds[position] < bounds[(position - 1) / 2] {
            rise(from: position)
        } else {
            sink(from: position)
        }
    }

    private mutating func rise(from start: Int) {
        let bound = bounds[start]
        let number = numbers[start]
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard bound < bounds[parent] else { break }
            put(numbers[parent], bounds[parent], at: position)
            position = parent
        }
        put(number, bound, at: position)
    }

    private mutating func sink(from start: Int) {
        let bound = bounds[start]
        let number = numbers[start]
        var position = start
        while true {
            var child = 2 * position + 1
            guard child < bounds.count else { break }
            if child + 1 < bounds.count, bounds[child + 1] < bounds[child] { child += 1 }
            guard bounds[child] < bound else { break }
            put(numbers[child], bounds[child], at: position)
            position = child
        }
        put(number, bound, at: position)
    }

    private mutating func put(_ number: UInt32, _ bound: Int64, at position: Int) {
        bounds[position] = bound
        numbers[position] = number
        positions[Int(number)] = UInt32(position)
    }
}
