import GalletaPlatform
import Logging
import TestSupport
import Testing

@testable import FastCGI

@Suite("The crew of workers")
struct CrewTests {
    @Test("an event that came with those of a handler that holds its worker is answered meanwhile", arguments: [2, 4])
    func heldUpBatch(workers: Int) throws {
        let gate = Locked(false)
        let server = try RunningServer({ $0.workers = workers }) { request in
            if request.path == "/held" { _ = eventually(within: 60) { gate.withLock { $0 } } }
            return .text(request.path)
        }
        let clients = try (0..<24).map { _ in try server.client() }
        for _ in 0..<20 {
            gate.withLock { $0 = false }
            let requests = clients.indices.map { FastCGIRecord.request("GET", $0 == 3 ? "/held" : "/good") }
            // Bits of heads take so little time that workers take several events at once; any of them may have the one that
            // is held in its batch.
            for start in stride(from: 0, to: requests[3].count, by: 8) {
                for (request, client) in zip(requests, clients) where start < request.count {
                    try client.send(Array(request[start..<min(start + 8, request.count)]))
                }
            }
            for (index, client) in clients.enumerated() where index != 3 {
                #expect(try client.reply().text == "/good")
            }
            gate.withLock { $0 = true }
            #expect(try clients[3].reply().text == "/held")
        }
    }

    @Test("handlers that wait themselves run on all workers at a time")
    func blocking() throws {
        let inside = Locked(0)
        let server = try RunningServer({ $0.workers = 8 }) { _ in
            inside.withLock { $0 += 1 }
            // None returns before all are there.
            return .text(eventually(within: 20) { inside.withLock { $0 } == 8 } ? "all" : "some")
        }
        let clients = try (0..<8).map { _ in try server.client() }
        for client in clients { try client.send(FastCGIRecord.request("GET", "/")) }
        for client in clients { #expect(try client.reply().text == "all") }
    }

    @Test("a server that has slept answers at once")
    func wakingUp() throws {
        let server = try RunningServer({ $0.workers = 4 }) { .text($0.path) }
        let client = try server.client()
        #expect(try client.exchange("GET", "/first").text == "/first")
        // Long enough for the clock to go to sleep; whether it does is not what is tested.
        #expect(!eventually(within: 0.2) { server.server.statistics.requests != 1 })
        let others = try (0..<32).map { _ in try server.client() }
        for other in others { try other.send(FastCGIRecord.request("GET", "/later")) }
        for other in others { #expect(try other.reply().text == "/later") }
        #expect(server.stop(within: .seconds(5)))
    }
}

@Suite("A worker's post")
struct PostTests {
    @Test("each event is taken once, by its owner or by another", arguments: 1...4)
    func takenOnce(thieves: Int) throws {
        let post = Post()
        let taken = Locked<[UInt64]>([])
        let isOver = Locked(false)
        let threads = try (0..<thieves).map { _ in
            try SystemThread(name: "thief") {
                while !isOver.withLock({ $0 }) {
                    if let event = post.steal() { taken.withLock { $0.append(event) } }
                }
            }
        }
        var expected: [UInt64] = []
        for round in 0..<2000 {
            let events = (0..<UInt64(1 + round % Post.capacity)).map { UInt64(round) << 8 | $0 }
            expected += events
            events.withUnsafeBufferPointer { post.fill($0) }
            while let event = post.takeNext() { taken.withLock { $0.append(event) } }
        }
        isOver.withLock { $0 = true }
        for thread in threads { _ = thread.join(timeout: nil) }
        #expect(taken.withLock { $0.sorted() } == expected)
        #expect(post.steal() == nil)
    }

    @Test("a worker is found held up once an event, and only if it was in it at the look before")
    func heldUp() {
        let post = Post()
        var seen: UInt64 = 0
        #expect(!post.isNewlyHeldUp(since: &seen))
        #expect(!post.isNewlyHeldUp(since: &seen))
        post.begin()
        #expect(!post.isNewlyHeldUp(since: &seen))
        #expect(!post.finish())
        post.begin()
        // Another event than at the last look.
        #expect(!post.isNewlyHeldUp(since: &seen))
        #expect(post.isNewlyHeldUp(since: &seen))
        #expect(!post.isNewlyHeldUp(since: &seen))
        #expect(!post.isNewlyHeldUp(since: &seen))
        #expect(post.finish())
        #expect(!post.isNewlyHeldUp(since: &seen))
    }
}

@Suite("The demand for workers")
struct DemandTests {
    private func demand(_ workers: Int, after samples: [Demand.Sample]) -> Demand {
        var demand = Demand(workers: workers, processors: 4)
        for sample in samples { demand.update(sample) }
        return demand
    }

    /// In 10 ms.
    private func sample(_ perSecond: Int, busy: Double, blocked: Double = 0) -> Demand.Sample {
        Demand.Sample(
            events: perSecond / 100, busy: Int64(busy * 10_000_000), elapsed: 10_000_000, blocked: blocked)
    }

    @Test("at a low rate two are awake, so that one waits while the other is in a handler")
    func lowRate() {
        #expect(demand(8, after: []).needed == 2)
        #expect(demand(8, after: [sample(40_000, busy: 0.5), sample(400, busy: 0.1)]).needed == 2)
        #expect(demand(1, after: [sample(400, busy: 0.1)]).needed == 1)
    }

    @Test("one is enough while it has time left; more come as it has none, up to the number of processors")
    func highRate() {
        #expect(demand(8, after: [sample(40_000, busy: 0.5)]).needed == 1)
        let busy = [sample(40_000, busy: 0.5), sample(40_000, busy: 0.95)]
        #expect(demand(8, after: busy).needed == 2)
        // Neither idle nor busy enough for a change.
        #expect(demand(8, after: busy + [sample(40_000, busy: 1.2)]).needed == 2)
        #expect(demand(8, after: busy + [sample(40_000, busy: 0.6)]).needed == 1)
        let full = (1...20).map { _ in sample(40_000, busy: 16) }
        #expect(demand(8, after: full).needed == 4)
        #expect(demand(3, after: full).needed == 3)
    }

    @Test("all are needed where handlers wait themselves, until they hardly do")
    func blocking() {
        let blocked = [sample(400, busy: 0.5, blocked: 0.3)]
        #expect(demand(64, after: blocked).needed == 64)
        #expect(demand(64, after: blocked + [sample(40_000, busy: 0.5, blocked: 0.2)]).needed == 64)
        #expect(demand(64, after: blocked + [sample(40_000, busy: 0.5, blocked: 0.05)]).needed <= 4)
    }

    @Test("a batch takes about 100 us, and is of one event where handlers wait themselves")
    func batch() {
        #expect(Demand.batch(serviceTime: 0, isBlocking: false) == Post.capacity)
        #expect(Demand.batch(serviceTime: 10_000, isBlocking: false) == 10)
        #expect(Demand.batch(serviceTime: 300_000, isBlocking: false) == 1)
        #expect(Demand.batch(serviceTime: 1, isBlocking: true) == 1)
    }
}

@Suite("The lifecycle")
struct LifecycleTests {
    @Test("a deadline before the watchdog's next look wakes it, a later one does not")
    func looks() throws {
        let lifecycle = try Lifecycle()
        let start = BootInstant.now
        let far = start.advanced(by: .seconds(60))
        lifecycle.plan(far)
        lifecycle.look(by: far.advanced(by: .seconds(1)))
        // Nobody has called: it sleeps until its time.
        let short = BootInstant.now.advanced(by: .milliseconds(20))
        lifecycle.sleep(until: short)
        #expect(BootInstant.now >= short)
        lifecycle.plan(far)
        lifecycle.look(by: start.advanced(by: .seconds(1)))
        // The call stands although it came before the sleep.
        lifecycle.sleep(until: far)
        #expect(BootInstant.now < far)
    }
}

@Suite("The acceptor")
struct AcceptorTests {
    @Test("without room it looks again after a second, or when a connection is closed")
    func pauses() throws {
        let lifecycle = try Lifecycle()
        let folder = try TemporaryFolder()
        let acceptor = Acceptor(
            [try .unix(path: folder.file("s.sock"))], into: ConnectionTable(capacity: 1), try Poller(),
            lifecycle, ServerCounters(), RefusalLog(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let now = BootInstant.now
        #expect(acceptor.resume(at: now) == nil)
        acceptor.pause(0)
        acceptor.pause(0)
        let next = try #require(acceptor.resume(at: now))
        #expect(next > now && next <= .now.advanced(by: .seconds(1)))
        #expect(acceptor.resume(at: next) == nil)
        acceptor.pause(0)
        acceptor.resume()
        #expect(acceptor.resume(at: now) == nil)
    }
}
