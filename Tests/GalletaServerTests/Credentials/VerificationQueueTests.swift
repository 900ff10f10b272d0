import GalletaPlatform
import TestSupport
import Testing

@testable import GalletaServer

@Suite("The queue of password checks")
struct VerificationQueueTests {
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
        let queue: VerificationQueue

        init(_ queue: VerificationQueue) {
            self.queue = queue
        }

        func start(_ count: Int, isKnown: Bool = false) throws {
            for _ in 0..<count {
                _ = try SystemThread(name: "check") { [self] in
                    do {
                        try queue.run(isKnown: isKnown) {
                            state.withLock { state in
                                state.running += 1
                                state.order.append(isKnown)
                                state.most = max(state.most, state.running)
                            }
                            gate.wait(until: { $0 }, timeout: .seconds(20)) { _ in }
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

    @Test(
        "half of the lesser of workers and processors check at once, half the workers check or wait, others are refused",
        arguments: [
            (1, 1, 1, 1), (2, 2, 1, 1), (4, 2, 1, 2), (4, 8, 2, 2), (16, 4, 2, 8), (7, 7, 3, 3), (3, 1, 1, 1),
        ])
    func bounds(workers: Int, processors: Int, running: Int, present: Int) throws {
        let checks = Checks(VerificationQueue(workers: workers, processors: processors))
        try checks.start(present + 5)
        #expect(checks.has { $0.refused == 5 && $0.running == running })
        #expect(checks.state.withLock { $0.done } == 0)
        checks.letGo()
        #expect(checks.has { $0.done == present })
        #expect(checks.state.withLock { $0.most } == running)
        // All places are free again.
        try checks.start(present)
        #expect(checks.has { $0.done == 2 * present })
    }

    @Test("a check that has waited too long is refused, and its place is free again")
    func impatience() throws {
        let checks = Checks(VerificationQueue(workers: 4, processors: 2, maxWait: .milliseconds(20)))
        try checks.start(1)
        #expect(checks.has { $0.running == 1 })
        for refused in 1...3 {
            try checks.start(1)
            #expect(checks.has { $0.refused == refused })
        }
        checks.letGo()
        #expect(checks.has { $0.done == 1 })
        try checks.start(1)
        #expect(checks.has { $0.done == 2 })
    }

    @Test("known browsers go before strangers, and take the places of those who wait")
    func known() throws {
        // One checks, and three wait.
        let checks = Checks(VerificationQueue(workers: 8, processors: 2))
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
        for (workers, places) in [(2, 1), (8, 4)] {
            let checks = Checks(VerificationQueue(workers: workers, processors: 2))
            try checks.start(1)
            #expect(checks.has { $0.running == 1 })
            try checks.start(places + 2, isKnown: true)
            #expect(checks.has { $0.refusedKnown == 3 && $0.refused == 3 })
            checks.letGo()
            #expect(checks.has { $0.done == places })
        }
    }
}
