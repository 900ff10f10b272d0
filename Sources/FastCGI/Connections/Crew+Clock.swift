internal import GalletaPlatform
internal import Logging
internal import Synchronization

extension Crew {
    /// Looks for workers that are held up, while there may be any whose work another has to take over.
    func runClock() {
        var looks = [Look](repeating: Look(), count: posts.count)
        ticker.run(isQuiet: { isQuiet }, tick: { tick(&looks) })
    }

    /// A worker waits for the kernel's next event, and each event there is has a worker of its own.
    private var isQuiet: Bool {
        waiting.load(ordering: .sequentiallyConsistent) > 0 && lying.load(ordering: .sequentiallyConsistent) == 0
            && queued.load(ordering: .sequentiallyConsistent) == 0
    }

    /// What the clock knows of a post.
    private struct Look {
        var seen: UInt64 = 0
        var heldSince = BootInstant(nanoseconds: 0)
    }

    /// Gives a worker a deputy that is held up by a task, or a step around one, for longer than a handler may run. (The
    /// watchdog does so for sync handlers, and names the request.)
    private func relieve(_ index: Int, _ look: inout Look) {
        let limit = engine.active.now.pointee.values.handlerTimeout + .seconds(1)
        guard engine.stage == .serving, look.heldSince.duration(to: .now) > limit else { return }
        // Once a while: those that are too many are tried again.
        look.heldSince = .now
        guard case .started = replace(index) else { return }
        engine.logger.error(
            "a task has held its worker for longer than handlerTimeout: another worker takes its place until it comes back",
            metadata: ["worker": "\(index)"])
    }

    /// Wakes another for each worker that is held up; true if there was one.
    private func tick(_ looks: inout [Look]) -> Bool {
        var foundOne = false
        for index in 0..<scanLimit.load(ordering: .acquiring) {
            let before = looks[index].seen
            if posts[index].isNewlyHeldUp(since: &looks[index].seen) {
                foundOne = true
                looks[index].heldSince = .now
                ready.subtract(1, ordering: .sequentiallyConsistent)
                record(isBlocked: true)
            } else if posts[index].isStillHeldUp(since: before) {
                relieve(index, &looks[index])
            }
        }
        if foundOne, reinforce() { return true }
        // Nobody was woken who would look what lies in batches or in the queue: one that waits for the kernel is to.
        let left = lying.load(ordering: .sequentiallyConsistent) + queued.load(ordering: .sequentiallyConsistent)
        if left > 0, waiting.load(ordering: .sequentiallyConsistent) > 0 { engine.poller.nudge() }
        return foundOne
    }
}
