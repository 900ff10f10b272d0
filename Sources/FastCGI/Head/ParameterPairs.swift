/// Positions of the names and values inside a head's bytes, in the order they were sent.
///
/// Reused from request to request: `removeAll` keeps the storage.
struct ParameterPairs {
    struct Pair {
        var name: Range<Int> { Int(nameStart)..<Int(valueStart) }
        var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }

        // 32 bits hold every position: a head is far below 4 GiB.
        fileprivate let nameStart: UInt32
        fileprivate let valueStart: UInt32
        fileprivate let valueEnd: UInt32
    }

    private(set) var pairs: [Pair] = []

    var count: Int { pairs.count }

    mutating func removeAll() {
        pairs.removeAll(keepingCapacity: true)
    }

    mutating func append(name: Range<Int>, value: Range<Int>) {
        pairs.append(
            Pair(
                nameStart: UInt32(name.lowerBound),
                valueStart: UInt32(value.lowerBound),
                valueEnd: UInt32(value.upperBound)
            )
        )
    }
}
