import GalletaPlatform
import RedisSessions
import Sessions
import TestSupport
import Testing

/// Visitors who use sessions in Redis all the time, and what they meet while a fault comes and goes.
///
///     let lab = try FaultLab("a crash", fixtures.configuration)
///     try lab.fault { server.kill(); …; try server.restart() }
///     try lab.finish([server])
///
/// For one thread at a time.
final class FaultLab {
    private struct Gate {
        var isOpen = true
        var isOver = false
        /// Visitors who wait at it.
        var parked = 0
    }

    /// What is seen at intervals.
    private struct Samples {
        /// Connections made, each tenth of a second.
        var connects: [Int] = []
        /// The longest that a thread of this process came late by itself, in nanoseconds.
        var lateness: Int64 = 0
    }

    let book = FaultBook()
    private let name: String
    private let configuration: RedisProvider.Configuration
    private let site: FaultSite
    private let counter: SharedCounter
    private let bystanders: Bystanders
    private let gate = Monitor(Gate())
    private let samples = Locked(Samples())
    private var threads: [SystemThread] = []
    private var visitors = 0
    /// One whose way to Redis is well, and his book.
    private let beside: (site: FaultSite, book: FaultBook)?
    private var back = Duration.zero
    /// Where Redis may lose something: what is older may not be lost.
    private var lossStart: BootInstant?

    /// - Parameters:
    ///   - pace: How long visitors wait between visits, in milliseconds.
    ///   - beside: How a good visitor reaches the same Redis whom the fault does not concern.
    init(
        _ name: String, _ configuration: RedisProvider.Configuration, pace: Int32 = 2,
        beside good: RedisProvider.Configuration? = nil
    ) throws {
        self.name = name
        self.configuration = configuration
        let site = try FaultSite(configuration, book: book)
        self.site = site
        var patient = configuration
        patient.timeout = .seconds(5)
        let patientSite = try FaultSite(patient, book: FaultBook())
        defer { patientSite.provider.close() }
        let counter = try SharedCounter(site, begunBy: patientSite)
        self.counter = counter
        bystanders = try Bystanders(24, at: patientSite)
        if let good {
            let book = FaultBook()
            beside = (try FaultSite(good, book: book), book)
        } else {
            beside = nil
        }
        var crew: [any FaultVisitor] = (0..<3).map { _ in SharedCounterVisitor(counter: counter) }
        crew += try (0..<2).map { _ in try OwnCounterVisitor(site, begunBy: patientSite) }
        crew += (0..<2).map { LogInVisitor(site, user: ByteString("user \($0)")) }
        crew.append(ReadingVisitor(site: site, bystanders: bystanders))
        for visitor in crew { try start(visitor, number: visitors, pace: pace, book) }
        if let beside {
            try start(try OwnCounterVisitor(beside.site, begunBy: patientSite), number: -1, pace: pace, beside.book)
        }
        try startSampling()
        // They are all there, and nothing has gone wrong yet.
        let isUp = eventually(within: 20) { book.allSucceeded(visitors) != nil }
        let failures = book.figures.failures
        guard isUp, isSlowness(failures) else {
            end()
            throw TestFailure(description: "\(name): trouble before the fault: \(failures.first?.reason ?? "")")
        }
    }

    deinit {
        end()
    }

    // MARK: Threads

    private func start(_ visitor: any FaultVisitor, number: Int, pace: Int32, _ book: FaultBook) throws {
        let gate = gate
        if number >= 0 { visitors += 1 }
        threads.append(
            try SystemThread(name: "visitor") {
                var visitor = visitor
                while true {
                    if gate.withLock({ !$0.isOpen }) {
                        gate.withLock { $0.parked += 1 }
                        gate.wait(until: { $0.isOpen || $0.isOver }) { $0.parked -= 1 }
                    }
                    if gate.withLock({ $0.isOver }) { return }
                    let start = BootInstant.now
                    do {
                        try visitor.visit()
                        book.succeeded(number, since: start)
                    } catch is SessionStoreError {
                        // It is in the book.
                    } catch {
                        book.wrong("\(error)")
                    }
                    Pause.milliseconds(pace)
                }
            })
    }

    private func startSampling() throws {
        let (gate, samples, provider) = (gate, samples, site.provider.provider)
        threads.append(
            try SystemThread(name: "samples") {
                while !gate.withLock({ $0.isOver }) {
                    var lateness: Int64 = 0
                    for _ in 0..<20 {
                        let due = BootInstant.now.advanced(by: .milliseconds(5))
                        Pause.milliseconds(5)
                        lateness = max(lateness, due.duration(to: .now).nanoseconds)
                    }
                    let connects = provider.clientStatistics.connects
                    samples.withLock { samples in
                        samples.connects.append(connects)
                        samples.lateness = max(samples.lateness, lateness)
                    }
                }
            })
    }

    private func end() {
        gate.withLock { $0.isOver = true }
        gate.wake()
        for thread in threads { _ = thread.join(timeout: .seconds(60)) }
        threads = []
    }

    // MARK: Faults

    /// The visitors go on for a while.
    func goOn(_ milliseconds: Int32 = 300) {
        Pause.milliseconds(milliseconds)
    }

    /// Brings a fault, which is over when `body` returns; all visitors must be well again within two seconds, with nothing
    /// restarted.
    ///
    /// - Parameters:
    ///   - isAway: Whether calls may fail meanwhile.
    ///   - once: Whether it does not come again in a longer run.
    func fault(isAway: Bool = true, once: Bool = false, _ body: () throws -> Void) throws {
        try FaultTime.again(once: once) {
            goOn(100)
            let before = book.figures.failures.count
            try body()
            let end = book.setMark()
            let isBack = eventually(within: 20) { book.allSucceeded(visitors) != nil }
            let moment = book.allSucceeded(visitors) ?? .now
            back = max(back, end.duration(to: moment))
            #expect(isBack, "\(name): some visitors are not back")
            goOn(200)
            if !isAway {
                let failures = book.figures.failures.dropFirst(before)
                #expect(isSlowness(Array(failures)), "\(name): \(failures.first?.reason ?? "")")
            }
            // Now it is over: whoever begins a call is served.
            let late = book.figures.failures.filter { $0.start > moment }
            #expect(
                isSlowness(late),
                "\(name): \(late.count) failed after it: \(late.first?.reason ?? "")")
        }
    }

    /// Whether these are what a machine that is busy elsewhere holds up until the deadline: a call or two, or whatever was
    /// under way when it stood still itself.
    private func isSlowness(_ failures: [(start: BootInstant, reason: String)]) -> Bool {
        let lateness = Duration.nanoseconds(samples.withLock { $0.lateness })
        return failures.allSatisfy { $0.reason.contains("in time") }
            && (failures.count <= 2 || lateness > configuration.timeout / 4 || FaultTime.isSanitized)
    }

    /// Compares what the visitors know with what Redis has, while they wait.
    ///
    /// - Parameter window: What was acknowledged later may be lost, and is counted.
    func settle(lossSince window: BootInstant? = nil) throws {
        gate.withLock { $0.isOpen = false }
        let count = visitors + (beside == nil ? 0 : 1)
        #expect(eventually(within: 20) { gate.withLock { $0.parked } == count }, "\(name): a visitor hangs")
        var patient = configuration
        patient.timeout = .seconds(5)
        let provider = try RedisProvider(configuration: patient)
        defer { provider.close() }
        try counter.settle(with: provider, lossSince: window)
        try bystanders.check(with: provider, site)
        for id in book.endedIDs {
            guard case .found = try provider.lookUp(SessionHandle(id)) else { continue }
            if window != nil { book.returned(id) } else { book.wrong("a log-out is undone") }
        }
        book.endLoss()
        gate.withLock { $0.isOpen = true }
        gate.wake()
    }

    // MARK: The end

    /// Ends the visitors, checks what they and the servers have, and prints a line of figures.
    ///
    /// - Parameter breaks: How often in a second the fault ends all connections.
    func finish(_ servers: [RedisServer], breaks: Int = 1) throws {
        try settle()
        end()
        for server in servers where server.isRunning {
            let lasting = try StoreAudit.lastingKeys(server)
            #expect(lasting.isEmpty, "\(name): keys without expiry: \(lasting.prefix(5))")
            #expect(try StoreAudit.readableIDs(book.usedIDs, of: server) == 0, "\(name): ids in the files")
        }
        let figures = book.figures
        #expect(figures.complaints.isEmpty, "\(name): \(figures.complaints.count), \(figures.complaints.prefix(5))")
        if let beside {
            let other = beside.book.figures
            #expect(
                other.complaints.isEmpty && isSlowness(other.failures) && other.acknowledged > 0,
                "\(name): beside it")
        }
        let (connects, lateness) = samples.withLock { ($0.connects, $0.lateness) }
        let peak = connects.indices.map { connects[$0] - connects[max(0, $0 - 10)] }.max() ?? 0
        let calls = figures.calls.sorted()
        let over = { (position: Int) in Duration.nanoseconds(calls[max(0, position)]) - self.configuration.timeout }
        let (usual, worst) = (over(Int(Double(calls.count) * 0.999)), over(calls.count - 1))
        let late = calls.count { .nanoseconds($0) > configuration.timeout }
        print(
            """
            fault: \(name): \(calls.count) calls, \(figures.failures.count) failed, \(figures.acknowledged) acknowledged, \
            \(figures.lost) lost; over the deadline: p99.9 \(usual.inMilliseconds) ms, worst \(worst.inMilliseconds) ms, \
            \(late) calls; back after \(back.inMilliseconds) ms; \(peak) connections in the busiest second; \
            a thread was late by \(Duration.nanoseconds(lateness).inMilliseconds) ms
            """)
        guard !FaultTime.isSanitized else { return }
        // What the machine itself adds, with other tests beside this one, is none of the client's.
        #expect(usual <= .milliseconds(20) + .nanoseconds(lateness), "\(name)")
        #expect(back <= .seconds(2) + .nanoseconds(lateness), "\(name)")
        // All of them anew each time, and some that only ask.
        #expect(peak <= (breaks + 2) * configuration.connections, "\(name): a stampede")
    }
}

extension Duration {
    /// Whole milliseconds for a line of figures.
    fileprivate var inMilliseconds: Int64 { nanoseconds / 1_000_000 }
}
