import GalletaPlatform
import TestSupport
import Testing

@testable import Passwords

@Suite("The queue of password checks")
struct HashingQueueTests {
    /// Checks that run until they are let go, each on a thread of its own.
    private final class Checks: Sendable {
        struct State {
            var running = 0
            var most = 0
            var done = 0
            var refused = 0
            /// Those of known browsers among the refused.
            var refusedKnown = 0
            /// Whether it was for a known browser, of each check that began.
            var order: [Bool] = []
        }

        let state = Locked(State())
        let gate = Monitor(false)
        let queue: HashingQueue

        init(_ queue: HashingQueue) {
            self.queue = queue
        }

        func start(_ count: Int, isKnown: Bool = false) throws {
            for _ in 0..<count {
                _ = try SystemThread(name: "check") { [self] in
                    do {
                        try queue.run(isKnown: isKnown) { [self] in
                            state.withLock { state in
                                state.running += 1
                                state.order.append(isKnown)
                                state.most = max(state.most, state.running)
                            }
                            gate.wait(until: { $0 }, timeout: .seconds(600)) { _ in }
                            state.withLock { $0.running -= 1 }
                        }
                        state.withLock { $0.done += 1 }
                    } catch {
                        state.withLock { state in
                            state.refused += 1
                            if isKnown { state.refusedKnown += 1 }
                        }
                    }
                }
            }
        }

        func letGo() {
            gate.withLock { $0 = true }
            gate.wake()
        }

        func has(_ condition: (State) -> Bool) -> Bool {
            eventually { state.withLock { condition($0) } }
        }
    }

    private static func queue(
        workers: Int = 1, waiting: Int = 100, blocked: Int, clock: @escaping @Sendable () -> BootInstant = { .now }
    ) -> HashingQueue {
        HashingQueue(
            HashingQueue.Limits(workers: workers, waiting: waiting, blocked: blocked, timeout: .seconds(10)),
            clock: clock)
    }

    @Test(
        "as many run as there are workers, others wait, and those who find no place are refused",
        arguments: [(1, 100, 1), (1, 100, 2), (2, 100, 2), (2, 100, 8), (3, 0, 100), (1, 3, 100), (4, 1, 100)])
    func bounds(workers: Int, waiting: Int, blocked: Int) throws {
        let present = min(workers + waiting, blocked)
        let checks = Checks(Self.queue(workers: workers, waiting: waiting, blocked: blocked))
        try checks.start(present + 5)
        #expect(checks.has { $0.refused == 5 && $0.running == min(workers, present) })
        #expect(checks.state.withLock { $0.done } == 0)
        checks.letGo()
        #expect(checks.has { $0.done == present })
        #expect(checks.state.withLock { $0.most } <= workers)
        // All places are free again.
        try checks.start(present)
        #expect(checks.has { $0.done == 2 * present })
    }

    @Test(
        "a check that has waited too long is refused when its turn or somebody else comes, and its place is free again")
    func impatience() throws {
        let now = Locked(BootInstant(nanoseconds: 0))
        let checks = Checks(Self.queue(blocked: 3) { now.withLock { $0 } })
        try checks.start(1)
        #expect(checks.has { $0.running == 1 })
        try checks.start(3)
        #expect(checks.has { $0.refused == 1 })
        now.withLock { $0 = BootInstant(nanoseconds: 10_000_000_001) }
        // In the places of the two that waited.
        try checks.start(2)
        #expect(checks.has { $0.refused == 3 })
        now.withLock { $0 = BootInstant(nanoseconds: 20_000_000_002) }
        checks.letGo()
        #expect(checks.has { $0.done == 1 && $0.refused == 5 })
        try checks.start(3)
        #expect(checks.has { $0.done == 4 })
    }

    @Test("known browsers go before strangers, and take the places of those who wait")
    func known() throws {
        // One checks, and three wait.
        let checks = Checks(Self.queue(blocked: 4))
        try checks.start(5)
        #expect(checks.has { $0.running == 1 && $0.refused == 1 })
        for displaced in 1...2 {
            try checks.start(1, isKnown: true)
            #expect(checks.has { $0.refused == 1 + displaced && $0.refusedKnown == 0 })
        }
        // A stranger displaces nobody.
        try checks.start(1)
        #expect(checks.has { $0.refused == 4 })
        checks.letGo()
        #expect(checks.has { $0.done == 4 })
        #expect(checks.state.withLock { $0.order } == [false, true, true, false])
        #expect(checks.state.withLock { $0.most } == 1)
    }

    @Test("known browsers hold no more places than there are, and displace no check that runs")
    func tooManyKnown() throws {
        for places in [1, 4] {
            let checks = Checks(Self.queue(blocked: places))
            try checks.start(1)
            #expect(checks.has { $0.running == 1 })
            try checks.start(places + 2, isKnown: true)
            #expect(checks.has { $0.refusedKnown == 3 && $0.refused == 3 })
            checks.letGo()
            #expect(checks.has { $0.done == places })
        }
    }

    @Test("tasks that wait hold no thread: a hundred wait where two callers' threads may be held")
    func tasks() async throws {
        let queue = Self.queue(blocked: 2)
        let gate = Monitor(false)
        let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
            // One more than there is room for: it finds all others present, and lets them go.
            for _ in 0..<102 {
                group.addTask {
                    do {
                        return try await queue.run(isKnown: false) {
                            gate.wait(until: { $0 }, timeout: .seconds(600)) { $0 }
                        }
                    } catch let error as PasswordError {
                        #expect(error.code == .busy)
                        gate.withLock { $0 = true }
                        gate.wake()
                        return false
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 } == 101)
    }

    @Test("a cancelled task leaves the queue at once, and is not run")
    func cancelled() async throws {
        let checks = Checks(Self.queue(waiting: 1, blocked: 2))
        try checks.start(1)
        #expect(checks.has { $0.running == 1 })
        for _ in 0..<50 {
            let task = Task { try await checks.queue.run(isKnown: false) { Issue.record("it ran") } }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        checks.letGo()
        #expect(checks.has { $0.done == 1 })
    }
}
