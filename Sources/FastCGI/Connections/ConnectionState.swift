internal import GalletaPlatform

/// What a connection is doing, as a value: what happens goes in, what is to be done comes out.
///
/// It knows neither descriptors nor threads; whoever holds the lock of the connection's slot asks it, and does what it says.
struct ConnectionState {
    enum Phase {
        /// No connection.
        case free
        /// Waiting in the epoll set; for what, says `waiting`.
        case idle
        /// A worker looks at it.
        case held
        /// A worker runs the handler of its request.
        case running
        /// As `running`, but past its deadline: the connection is shut down, the handler still runs.
        case overrun
    }

    private(set) var phase = Phase.free
    /// Counts the connections that this slot has had: an event of one before is stale.
    let generation: UInt32
    private(set) var waiting = Waiting.request
    /// Of what it is doing, or waits for.
    private(set) var deadline = BootInstant(nanoseconds: .max)
    /// An event came while a worker held the connection: it looks again before parking.
    private var isPending = false
    /// A request has been answered on this connection.
    private var hasServed = false
    /// The deadline has passed; a worker is on its way to say so.
    private var isOverdue = false
    /// The worker that runs the handler.
    private(set) var worker = 0
    /// What it answers. Whoever takes this out makes the summary: the worker, or who cuts the connection.
    private var unanswered: Unanswered?
    /// What a handler past its deadline answers still, for who looks.
    private var stuck: Unanswered?
    /// What the epoll set tells of; nil when the connection is not in it.
    private var interest: Interest?

    init(generation: UInt32 = 0) {
        self.generation = generation
    }

    /// A fresh connection, held by the caller, or one that another process has served.
    mutating func open(hasServed: Bool = false) {
        self = ConnectionState(generation: generation)
        phase = .held
        self.hasServed = hasServed
    }

    /// Forgets the connection; events still on their way carry the old generation.
    mutating func free() {
        self = ConnectionState(generation: nextGeneration)
    }

    var nextGeneration: UInt32 { generation >= EventKey.lastGeneration ? 0 : generation + 1 }

    // MARK: An event

    enum Wake {
        /// It is of a connection that has gone.
        case stale
        /// Whoever holds the connection looks again.
        case noted
        /// The caller holds the connection now.
        ///
        /// - `isOverdue`: The time of what it has waited for is over; `isNews` if nobody has found that out before.
        case claimed(Waiting, isOverdue: Bool, isNews: Bool)
    }

    mutating func wake(_ generation: UInt32, now: BootInstant) -> Wake {
        guard generation == self.generation else { return .stale }
        switch phase {
        case .free: return .stale
        case .held, .running, .overrun:
            isPending = true
            return .noted
        case .idle:
            phase = .held
            defer { waiting = .request }
            // Bytes that come when the time is over come too late, whoever looks first.
            let isLate = waiting.isForRest && deadline <= now
            return .claimed(waiting, isOverdue: isOverdue || isLate, isNews: !isOverdue)
        }
    }

    // MARK: A handler

    /// A worker begins to answer a request; false where the connection was cut in this moment.
    @discardableResult
    mutating func run(on worker: Int, until deadline: BootInstant, _ unanswered: Unanswered) -> Bool {
        guard phase != .overrun else { return false }
        phase = .running
        hasServed = true
        self.deadline = deadline
        self.worker = worker
        self.unanswered = unanswered
        return true
    }

    /// The answer is on its way, or will be without a worker. Nil where who cut the connection has made the summary.
    mutating func takeUnanswered() -> Unanswered? {
        unanswered.take()
    }

    /// What a worker's handler answers, for who looks.
    var running: Unanswered? { unanswered ?? stuck }

    // MARK: Parking

    /// What the epoll set is to tell of.
    enum Interest {
        /// Bytes, and the peer's end.
        case bytes
        /// Bytes, and at once if nothing hinders: behind the events of others.
        case turn
        /// Room; not bytes, which would raise an event each time that they wait unread.
        case room
    }

    enum Parking {
        /// Nothing is to be changed in the epoll set.
        case parked
        case watch(Interest, isNew: Bool)
        /// Something came while the connection was held.
        case lookAgain
        case mustClose
    }

    /// Lets the caller's connection wait.
    ///
    /// - Parameters:
    ///   - isReadable: Bytes may be waiting that raised their event already: if so, another one is to be raised.
    ///   - stage: The server's.
    mutating func park(
        _ waiting: Waiting, isReadable: Bool, stage: Lifecycle.Stage, now: BootInstant, _ limits: Server.Configuration
    ) -> Parking {
        if phase == .overrun { return .mustClose }
        // Where bytes may wait anyway another event is raised below, behind those of others; a task's word is not repeated.
        if isPending, !isReadable || waiting.isForTask {
            isPending = false
            phase = .held
            return .lookAgain
        }
        let next: Interest
        switch waiting {
        case .request:
            if stage >= .closing { return .mustClose }
            // A web server connects when it has something to send: only after an answer may it take its time.
            deadline = now.advanced(by: hasServed ? limits.idleTimeout : limits.headTimeout)
            next = .bytes
        case .turn:
            deadline = now.advanced(by: limits.idleTimeout)
            next = .turn
        case .head(let exchange):
            deadline = exchange.headDeadline
            next = .bytes
        case .body(let exchange):
            deadline = min(now.advanced(by: limits.bodyTimeout), exchange.deadline)
            next = .bytes
        case .handler(let exchange):
            deadline = exchange.deadline
            next = .bytes
        case .stream(let exchange):
            deadline = exchange.stream?.isEvents == true ? Self.nextBeat(now) : BootInstant(nanoseconds: .max)
            next = .bytes
        case .room(let exchange):
            deadline = exchange.progressAt.advanced(by: limits.writeTimeout)
            // The time of the handler ends with the head of an async stream.
            if exchange.stream == nil { deadline = min(deadline, exchange.deadline) }
            next = .room
        case .farewell(_, let end):
            deadline = end
            next = .bytes
        }
        isPending = false
        isOverdue = false
        self.waiting = waiting
        phase = .idle
        guard let interest else {
            self.interest = next
            // What waits already raises its event when it is added.
            return .watch(next, isNew: true)
        }
        self.interest = next
        if next == .bytes, interest == .bytes, !isReadable { return .parked }
        // Each time: what was there before this moment raises an event, too.
        return .watch(next, isNew: false)
    }

    /// The epoll set could not be changed: the connection is the caller's again.
    mutating func takeBack() {
        phase = .held
        waiting = .request
    }

    /// A comment every 15 s, at whole seconds, so that many streams wake the watchdog once.
    private static func nextBeat(_ now: BootInstant) -> BootInstant {
        BootInstant(nanoseconds: (now.nanoseconds / 1_000_000_000 + 15) * 1_000_000_000)
    }

    // MARK: A successor

    /// The caller holds the connection from now on, if it waits for its next request.
    mutating func takeIdle() -> Bool {
        guard phase == .idle, waiting.isForNext else { return false }
        phase = .held
        waiting = .request
        return true
    }

    /// The request of a connection that the caller holds is over: the clock leaves it alone. False if it was cut just now.
    mutating func takeHeld() -> Bool {
        guard phase == .held || phase == .running else { return false }
        phase = .held
        return true
    }

    // MARK: The clock

    enum Judgement {
        /// Nothing is to be done before this time.
        case wait(until: BootInstant)
        /// A worker is to come and say that the time is over.
        case call
        /// A worker is to come and send a sign of life.
        case callForBeat
        /// As `call`, but nothing more can be sent.
        case shutDownAndCall
        /// To be closed, unless bytes have come this very moment (`isDue` is false).
        case close(isDue: Bool, Waiting)
        /// A handler on a worker: the connection is to be shut down, never closed.
        case overrun(worker: Int, Unanswered?)
    }

    /// A connection that was not used for so long is hardly used in the very moment in which it is closed.
    static let quiet = Duration.seconds(1)

    /// - Parameter closesIdle: The server stops, and the time of those that are idle is over.
    mutating func judge(_ now: BootInstant, closesIdle: Bool) -> Judgement {
        switch phase {
        case .free, .held, .overrun: return .wait(until: BootInstant(nanoseconds: .max))
        case .running:
            guard deadline <= now else { return .wait(until: deadline) }
            phase = .overrun
            stuck = unanswered
            return .overrun(worker: worker, unanswered.take())
        case .idle: break
        }
        let isDue = deadline <= now
        switch waiting {
        case .request where closesIdle, .farewell where closesIdle: return .close(isDue: isDue, waiting)
        case .head(let exchange) where closesIdle && !isDue:
            // A stop waits for the rest of a head as long as one may be under way, not until its deadline.
            let end = exchange.headBegin.advanced(by: Self.quiet)
            return end <= now ? .close(isDue: false, waiting) : .wait(until: end)
        default: break
        }
        guard isDue else { return .wait(until: deadline) }
        // Whoever is called and does not come has a second.
        let isFirst = !isOverdue
        switch waiting {
        case .body where isFirst:
            isOverdue = true
            deadline = now.advanced(by: .seconds(1))
            return .call
        case .stream where isFirst:
            isOverdue = true
            deadline = now.advanced(by: .seconds(1))
            return .callForBeat
        case .room where isFirst:
            isOverdue = true
            deadline = now.advanced(by: .seconds(1))
            return .shutDownAndCall
        case .stream:
            deadline = now.advanced(by: .seconds(1))
            return .wait(until: deadline)
        default: return .close(isDue: isFirst, waiting)
        }
    }

    /// What is cut when the grace of a stop is over.
    enum Cut {
        case none
        /// The request of a handler on a worker.
        case running(worker: Int, Unanswered?)
        /// What waits with the connection, which is to be closed.
        case idle(Waiting)
    }

    mutating func cut() -> Cut {
        switch phase {
        case .running:
            phase = .overrun
            return .running(worker: worker, unanswered.take())
        case .idle:
            return .idle(waiting)
        case .free, .held, .overrun: return .none
        }
    }
}
