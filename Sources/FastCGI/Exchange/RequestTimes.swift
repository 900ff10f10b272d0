internal import GalletaPlatform

/// Where the time of a request goes: taken only where there is a slow log.
struct RequestTimes {
    /// What it may have waited for a worker before its head was read, in nanoseconds.
    var waitedBefore: Int64 = 0
    /// What its task has waited for a worker, before it began and after it had an answer.
    var waitedWithin: Int64 = 0
    /// All of it was there, and a worker began to answer.
    var begunAt: BootInstant?
    /// Its task has an answer, which no worker has taken yet.
    var outcomeAt: BootInstant?
    /// The answer was there.
    var handledAt: BootInstant?
    /// The pattern of its route.
    var route: String?
    /// Of its session's calls.
    let store = Stopwatch()

    /// The parts of its time, which add up to ``total``; in nanoseconds.
    struct Parts {
        /// Waiting for a worker.
        var wait: Int64 = 0
        /// From its head to its end.
        var body: Int64 = 0
        /// In steps and handler, without the session store.
        var handler: Int64 = 0
        /// In the session store.
        var store: Int64 = 0
        /// From the answer to its end.
        var send: Int64 = 0
        /// All together.
        var total: Int64 = 0
    }

    /// The parts of a request whose head was there at `start`, and that is over now.
    func parts(from start: BootInstant, to end: BootInstant) -> Parts {
        let begun = begunAt ?? end
        // One that was cut is in its handler still.
        let handled = handledAt ?? max(end, begun)
        var parts = Parts()
        parts.body = max(0, start.duration(to: begun).nanoseconds)
        parts.send = max(0, handled.duration(to: end).nanoseconds)
        let answering = max(0, begun.duration(to: handled).nanoseconds)
        parts.store = min(store.nanoseconds, answering)
        let within = min(waitedWithin, answering - parts.store)
        parts.handler = answering - parts.store - within
        parts.wait = waitedBefore + within
        parts.total = parts.wait + parts.body + parts.handler + parts.store + parts.send
        return parts
    }
}

extension RequestContext {
    /// Takes the time of this request from now on.
    func beginTimes() {
        isTimed = true
        live.withLock { $0.times = RequestTimes() }
    }

    /// Changes the times, where they are taken.
    func time(_ body: (inout RequestTimes) -> Void) {
        guard isTimed else { return }
        live.withLock { live in
            if live.times != nil { body(&live.times!) }
        }
    }
}
