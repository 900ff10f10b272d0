internal import GalletaPlatform
internal import Synchronization

/// How long requests took, from their heads to the ends of their answers, and what they were answered.
public struct LatencyHistogram: Sendable, Equatable {
    /// The upper ends of the buckets in nanoseconds; one more has no end.
    public static let bounds: [Int64] = [
        250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
    ]

    /// Requests by bucket, each in one of them.
    public internal(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    /// The sum of all durations, in nanoseconds.
    public internal(set) var nanoseconds: Int64 = 0
    /// Requests by the first digit of their status, `[0]` is 1xx.
    public internal(set) var statuses = [Int](repeating: 0, count: 5)

    /// All requests.
    public var count: Int { counts.reduce(0, +) }

    /// How long so many of all requests took at most, by the upper end of their bucket; nil where there were none.
    ///
    /// - Parameter fraction: 0.5 is the median.
    public func quantile(_ fraction: Double) -> Duration? {
        let count = count
        guard count > 0 else { return nil }
        var rest = Int((Double(count) * fraction).rounded(.up))
        for (index, bucket) in counts.enumerated() {
            rest -= bucket
            if rest <= 0 { return .nanoseconds(Self.bounds[min(index, Self.bounds.count - 1)]) }
        }
        return .nanoseconds(Self.bounds.last!)
    }

    /// No request.
    package init() {}

    /// Both together.
    package static func + (left: LatencyHistogram, right: LatencyHistogram) -> LatencyHistogram {
        var sum = left
        for index in left.counts.indices { sum.counts[index] += right.counts[index] }
        for index in left.statuses.indices { sum.statuses[index] += right.statuses[index] }
        sum.nanoseconds += right.nanoseconds
        return sum
    }

    static func - (left: LatencyHistogram, right: LatencyHistogram) -> LatencyHistogram {
        var difference = left
        for index in left.counts.indices { difference.counts[index] -= right.counts[index] }
        for index in left.statuses.indices { difference.statuses[index] -= right.statuses[index] }
        difference.nanoseconds -= right.nanoseconds
        return difference
    }
}

/// Counts a server's requests: all of them, and by minute those of the last hour.
///
/// Threading: any thread; a request costs some atomic additions, and each minute's first one a lock.
final class LatencyRecorder: @unchecked Sendable {
    // Safe: allocated once, never moved, atomic all of it.
    private let cells: UnsafeMutablePointer<Atomic<Int>>
    private static let statusStart = LatencyHistogram.bounds.count + 1
    private static let sum = statusStart + 5
    private static let cellCount = sum + 1
    private let minute = Atomic<Int64>(0)
    private let past: Locked<Past>

    private struct Past {
        /// What had been counted when each minute began, the last one's last.
        var beginnings: [LatencyHistogram] = [LatencyHistogram()]
        var minute: Int64
    }

    /// Minutes that are kept.
    static let minutes = 60

    init(now: BootInstant = .now) {
        cells = .allocate(capacity: Self.cellCount)
        for index in 0..<Self.cellCount { (cells + index).initialize(to: Atomic(0)) }
        let first = Self.minute(of: now)
        past = Locked(Past(minute: first))
        minute.store(first, ordering: .relaxed)
    }

    deinit {
        cells.deinitialize(count: Self.cellCount)
        cells.deallocate()
    }

    private static func minute(of now: BootInstant) -> Int64 { now.nanoseconds / 60_000_000_000 }

    /// A request is over.
    func record(_ duration: Int64, status: Int, at now: BootInstant) {
        if minute.load(ordering: .relaxed) != Self.minute(of: now) { turn(to: now) }
        var bucket = 0
        while bucket < LatencyHistogram.bounds.count, duration > LatencyHistogram.bounds[bucket] { bucket += 1 }
        cells[bucket].add(1, ordering: .relaxed)
        cells[Self.sum].add(Int(max(0, duration)), ordering: .relaxed)
        if (100..<600).contains(status) { cells[Self.statusStart + status / 100 - 1].add(1, ordering: .relaxed) }
    }

    /// All since the start.
    var total: LatencyHistogram {
        var histogram = LatencyHistogram()
        for index in 0..<Self.statusStart { histogram.counts[index] = cells[index].load(ordering: .relaxed) }
        for index in 0..<5 { histogram.statuses[index] = cells[Self.statusStart + index].load(ordering: .relaxed) }
        histogram.nanoseconds = Int64(cells[Self.sum].load(ordering: .relaxed))
        return histogram
    }

    /// The minutes of the last hour, the present one last; fewer where the server is younger.
    func lastHour(at now: BootInstant = .now) -> [LatencyHistogram] {
        turn(to: now)
        let beginnings = past.withLock { $0.beginnings }
        let ends = beginnings.dropFirst() + [total]
        return zip(ends, beginnings).map { $0 - $1 }
    }

    private func turn(to now: BootInstant) {
        let current = Self.minute(of: now)
        past.withLock { past in
            guard past.minute < current else { return }
            // Minutes without a request begin and end with the same counts.
            let total = total
            let count = min(Int(current - past.minute), Self.minutes)
            past.beginnings += Array(repeating: total, count: count)
            past.beginnings.removeFirst(max(0, past.beginnings.count - Self.minutes))
            past.minute = current
            minute.store(current, ordering: .relaxed)
        }
    }
}
