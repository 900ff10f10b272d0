internal import Glibc

/// What is left of a peak's memory once all sessions have expired; one store, one process.
struct EmptyRun<Store: BenchmarkedStore> {
    let count: Int

    func run() throws {
        let texts = CookieTexts(count: count)
        let empty = Measure.residentBytes()
        let store = try Store(capacity: 2 * count, collects: true)
        for index in 0..<count { try store.create(texts[index], seconds: 4) }
        let peak = Measure.residentBytes() - empty
        Report.line("peak-mib", Double(peak) / 1_048_576)
        // Collections may be half a minute apart when there is nothing to collect.
        let start = Measure.nanoseconds()
        let deadline = start + (count >= 100_000 ? 45_000_000_000 : 6_000_000_000)
        while Measure.nanoseconds() < deadline, store.sessions > 0 || (Measure.residentBytes() - empty) * 10 > peak {
            usleep(250_000)
        }
        Report.line("empty-sessions", Double(store.sessions))
        Report.line("empty-mib", Double(Measure.residentBytes() - empty) / 1_048_576)
        Report.line("empty-seconds", Double(Measure.nanoseconds() - start) / 1e9)
    }
}
