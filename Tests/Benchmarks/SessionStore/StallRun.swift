internal import Glibc

/// How long a `get` waits while the store works hard; one store, one process.
struct StallRun<Store: BenchmarkedStore> {
    let count: Int

    /// Half of the sessions end at once, and the store's own collection removes them.
    func expire() throws {
        let texts = CookieTexts(count: count)
        let store = try Store(capacity: 2 * count, collects: true)
        let live = count / 2
        for index in 0..<live { try store.create(texts[index], seconds: 3_600) }
        for index in live..<count { try store.create(texts[index], seconds: 4) }
        let probe = try Probe(store: store, texts: texts, live: live)
        let deadline = Measure.nanoseconds() + 60_000_000_000
        while store.sessions > live {
            guard Measure.nanoseconds() < deadline else { throw BenchmarkError.late }
            usleep(50_000)
        }
        try probe.report("expire")
    }

    /// 100,000 sessions a second begin.
    func grow() throws {
        let texts = CookieTexts(count: count)
        let store = try Store(capacity: 2 * count, collects: true)
        let live = min(1_000, count)
        for index in 0..<live { try store.create(texts[index], seconds: 3_600) }
        let probe = try Probe(store: store, texts: texts, live: live)
        var tick = Measure.nanoseconds()
        let start = tick
        var worst: Int64 = 0
        var setAside: [ClosedRange<Int64>] = []
        setAside.reserveCapacity(100_000)
        for index in live..<count {
            if index % 100 == 0 {
                tick += 1_000_000
                var time = timespec(tv_sec: Int(tick / 1_000_000_000), tv_nsec: Int(tick % 1_000_000_000))
                clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil)
            }
            let switches = Measure.switches().forced
            let begin = Measure.nanoseconds()
            let before = Measure.nanoseconds(CLOCK_THREAD_CPUTIME_ID)
            try store.create(texts[index], seconds: 3_600)
            let used = Measure.nanoseconds(CLOCK_THREAD_CPUTIME_ID) - before
            worst = max(worst, used)
            // What it computed itself stays the store's.
            let end = Measure.nanoseconds() - used
            if Measure.switches().forced > switches, end > begin { setAside.append(begin...end) }
        }
        let elapsed = Double(Measure.nanoseconds() - start) / 1e9
        try probe.report("grow", setAside: setAside)
        Report.line("grow-per-second", Double(count - live) / elapsed)
        Report.line("grow-create-worst", Double(worst) / 1_000)
    }
}
