/// How many workers a load needs awake, from what the last moments brought.
///
/// To wake a thread costs as much as to answer a request. So one worker that always finds something waiting is cheaper than
/// several that take turns to sleep; handlers that wait themselves, for a store or a password check, need all of them.
/// A function of figures, without a clock or threads.
struct Demand {
    /// Workers there are.
    let workers: Int
    let processors: Int
    /// How many should be awake.
    private(set) var needed: Int
    /// Handlers give up the processor.
    private(set) var isBlocking = false

    /// What was counted since the last update, over all workers.
    struct Sample {
        var events: Int
        /// Time that workers had something to do, in nanoseconds, added up.
        var busy: Int64
        /// How long this took, in nanoseconds.
        var elapsed: Int64
        /// Share of events in which the processor was given up, 0 to 1.
        var blocked: Double
    }

    /// Below so many events a second two are awake: one waits for the kernel's events while the other is in a handler, and
    /// nobody has to look after them.
    private static let lowRate = 5_000.0

    init(workers: Int, processors: Int) {
        self.workers = workers
        self.processors = max(1, processors)
        needed = min(2, workers)
    }

    mutating func update(_ sample: Sample) {
        guard sample.elapsed > 0 else { return }
        // Between the two it stays as it is.
        if sample.blocked > 0.25 { isBlocking = true } else if sample.blocked < 0.1 { isBlocking = false }
        guard !isBlocking else {
            needed = workers
            return
        }
        let elapsed = Double(sample.elapsed)
        guard Double(sample.events) * 1e9 / elapsed >= Self.lowRate else {
            needed = min(2, workers)
            return
        }
        let busy = Double(sample.busy) / elapsed
        let most = min(workers, processors)
        needed = min(needed, most)
        if busy > 0.9 * Double(needed) {
            needed = min(needed + 1, most)
        } else if needed > 1, busy < 0.7 * Double(needed - 1) {
            needed -= 1
        }
    }

    /// How many events a worker may take at a time, if one takes so long (in nanoseconds): what lies in its batch waits for
    /// what it is doing.
    static func batch(serviceTime: Int64, isBlocking: Bool) -> Int {
        guard !isBlocking else { return 1 }
        return Int(min(Int64(Post.capacity), max(1, 100_000 / max(1, serviceTime))))
    }
}
