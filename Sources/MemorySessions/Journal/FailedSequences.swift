/// The changes that did not get on the disk, by their sequences: a few ranges, in order.
struct FailedSequences {
    private var ranges: [ClosedRange<UInt64>] = []

    private static let limit = 64

    /// - Parameter range: Mostly beyond all that are there.
    mutating func insert(_ range: ClosedRange<UInt64>) {
        if let last = ranges.last, last.upperBound + 1 == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound...range.upperBound
        } else {
            ranges.append(range)
        }
        guard ranges.count > Self.limit else { return }
        // The oldest are of requests of long ago; what lay between them counts as failed, too.
        ranges[1] =
            min(ranges[0].lowerBound, ranges[1].lowerBound)...max(ranges[0].upperBound, ranges[1].upperBound)
        ranges.removeFirst()
    }

    func contains(_ sequence: UInt64) -> Bool {
        ranges.contains { $0.contains(sequence) }
    }
}
