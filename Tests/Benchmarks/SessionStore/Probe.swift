internal import GalletaPlatform
internal import Glibc
internal import Synchronization

/// A thread that reads one live session after the other, a thousand a second, and measures each `get`.
///
/// Time of a `get` that is the store's: what the thread computed itself, and all of it when the thread had to wait for a
/// lock (it gave the processor up by itself). What is left is the machine's: another thread got the processor by force.
/// A wait for a lock whose holder the machine had put aside is the machine's too, as far as the holder can be asked; else
/// it counts as the store's, so that is an upper bound.
/// Beside it, at the same rate, the control reads a small store that no one else uses.
final class Probe<Store: BenchmarkedStore>: Sendable {
    private let isStopped = Atomic<Bool>(false)
    private let samples = Locked((store: [Sample](), control: [Sample]()))
    private let failed = Atomic<Bool>(false)
    private let thread: Locked<SystemThread?> = Locked(nil)

    /// Nanoseconds of one `get`.
    struct Sample {
        var start: Int64
        var wall: Int64
        var ours: Int64
    }

    init(store: Store, texts: CookieTexts, live: Int) throws {
        let control = try Store(capacity: 1_000, collects: false)
        let controlTexts = CookieTexts(count: 1_000)
        for index in 0..<controlTexts.count { try control.create(controlTexts[index], seconds: 3_600) }
        let thread = try SystemThread(name: "probe") { [self] in
            run(store, texts, live, control, controlTexts)
        }
        self.thread.withLock { $0 = thread }
    }

    private func run(
        _ store: Store, _ texts: CookieTexts, _ live: Int, _ control: Store, _ controlTexts: CookieTexts
    ) {
        var random = RandomIndex(seed: 7)
        var measured: (store: [Sample], control: [Sample]) = ([], [])
        measured.store.reserveCapacity(120_000)
        measured.control.reserveCapacity(120_000)
        var tick = Measure.nanoseconds()
        while !isStopped.load(ordering: .relaxed) {
            // After a stall the rate goes on from now: a burst would measure the same stall again.
            tick = max(tick + 1_000_000, Measure.nanoseconds())
            var time = timespec(tv_sec: Int(tick / 1_000_000_000), tv_nsec: Int(tick % 1_000_000_000))
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil)
            measured.control.append(sample(control, controlTexts[random.next(below: controlTexts.count)]))
            measured.store.append(sample(store, texts[random.next(below: live)]))
        }
        samples.withLock { $0 = measured }
    }

    private func sample(_ store: Store, _ text: UnsafeRawBufferPointer) -> Sample {
        let switches = Measure.switches().voluntary
        let computed = Measure.nanoseconds(CLOCK_THREAD_CPUTIME_ID)
        let start = Measure.nanoseconds()
        let value = store.read(text)
        let wall = Measure.nanoseconds() - start
        let own = Measure.nanoseconds(CLOCK_THREAD_CPUTIME_ID) - computed
        let waited = Measure.switches().voluntary > switches
        if value == nil { failed.store(true, ordering: .relaxed) }
        return Sample(start: start, wall: wall, ours: waited ? wall : min(own, wall))
    }

    /// Ends the thread and prints what it saw, in microseconds.
    ///
    /// - Parameter setAside: When the machine had put aside a thread that may have held a lock, in order.
    func report(_ name: String, setAside: [ClosedRange<Int64>] = []) throws {
        isStopped.store(true, ordering: .relaxed)
        _ = thread.withLock { $0 }?.join(timeout: nil)
        guard !failed.load(ordering: .relaxed) else { throw BenchmarkError.lost }
        let (store, control) = samples.withLock { $0 }
        Report.line("\(name)-probes", Double(store.count))
        let ours = store.map { sample in
            guard sample.ours == sample.wall else { return sample.ours }
            let wait = sample.start...(sample.start + sample.wall)
            let lost = setAside.lazy.filter { $0.overlaps(wait) }.map { $0.clamped(to: wait) }
                .reduce(0) { $0 + $1.upperBound - $1.lowerBound }
            return max(0, sample.wall - lost)
        }
        show("\(name)-ours", ours)
        show("\(name)-wall", store.map(\.wall))
        show("\(name)-control", control.map(\.wall))
    }

    private func show(_ name: String, _ nanoseconds: [Int64]) {
        let sorted = nanoseconds.sorted()
        guard let worst = sorted.last else { return }
        for (label, share) in [("p99", 0.99), ("p99.9", 0.999)] {
            Report.line("\(name)-\(label)", Double(sorted[Int(Double(sorted.count - 1) * share)]) / 1_000)
        }
        Report.line("\(name)-worst", Double(worst) / 1_000)
    }
}
