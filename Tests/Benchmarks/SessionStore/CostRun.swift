internal import GalletaPlatform
internal import Glibc
internal import Synchronization

/// What a store's sessions cost in bytes and in time; one store, one process.
struct CostRun<Store: BenchmarkedStore> {
    let count: Int
    let seconds: Double
    /// Visits for a time: how many depends on the machine. False makes as many as there are sessions, for callgrind.
    var isTimed = true

    func run() throws {
        let texts = CookieTexts(count: count)
        let empty = Measure.residentBytes()
        let store = try Store(capacity: 2 * count, collects: true)
        try timed("create", count) {
            for index in 0..<count { try store.create(texts[index], seconds: 3_600) }
        }
        Report.line("bytes-a-session", Double(Measure.residentBytes() - empty) / Double(count))
        let visitors = CookieTexts(shuffling: texts)
        for threads in 1...2 { try visit(store, visitors, threads: threads) }
        let updates = max(count / 2, 1)
        try timed("update", updates) {
            for index in 0..<updates { try store.update(visitors[index]) }
        }
        try timed("destroy", count) {
            for index in 0..<count where !store.destroy(texts[index]) { throw BenchmarkError.lost }
        }
    }

    private func timed(_ name: String, _ operations: Int, _ body: () throws -> Void) rethrows {
        let start = Measure.nanoseconds()
        try body()
        Report.line("\(name)-per-second", Double(operations) / Double(Measure.nanoseconds() - start) * 1e9)
    }

    private func visit(_ store: Store, _ texts: CookieTexts, threads: Int) throws {
        let done = Locked((visits: 0, lost: false))
        let count = count
        let start = Measure.nanoseconds()
        let computed = Measure.nanoseconds(CLOCK_PROCESS_CPUTIME_ID)
        let end = start + Int64(seconds * 1e9)
        let workers = try (0..<threads).map { number in
            try SystemThread(name: "visits-\(number)") {
                // Threads of one store start at places of their own.
                var next = number * (count / threads)
                var visits = 0
                var isLost = false
                while isTimed ? Measure.nanoseconds() < end : visits < count {
                    for _ in 0..<512 {
                        if store.visit(texts[next]) == nil { isLost = true }
                        next = next + 1 < count ? next + 1 : 0
                    }
                    visits += 512
                }
                done.withLock { $0 = ($0.visits + visits, $0.lost || isLost) }
            }
        }
        for worker in workers { _ = worker.join(timeout: nil) }
        let elapsed = Double(Measure.nanoseconds() - start)
        let used = Double(Measure.nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - computed)
        let (visits, isLost) = done.withLock { $0 }
        guard !isLost else { throw BenchmarkError.lost }
        Report.line("visit-\(threads)-per-second", Double(visits) / elapsed * 1e9)
        Report.line("visit-\(threads)-cpu-ns", used / Double(visits))
    }
}
