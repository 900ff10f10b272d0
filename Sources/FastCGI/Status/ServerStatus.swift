internal import GalletaPlatform

/// What a server is doing at this moment, and what it has done: for an operator, and for monitors.
public struct ServerStatus: Sendable {
    /// The counters.
    public internal(set) var statistics = ServerStatistics()
    /// How long it has served.
    public internal(set) var uptime = Duration.zero
    /// Open connections, each by what it is doing.
    public internal(set) var connections = Connections()
    /// Heads that were refused, by the reason; reasons are of a fixed set.
    public internal(set) var refusedHeads: [String: Int] = [:]
    /// All requests since the start.
    public internal(set) var latency = LatencyHistogram()
    /// The minutes of the last hour, the present one last; fewer where the server is younger.
    public internal(set) var lastHour: [LatencyHistogram] = []
    /// Requests that are being answered, the oldest first; at most so many as were asked for.
    public internal(set) var requests: [ActiveRequest] = []

    /// Open connections, each by what it is doing.
    public struct Connections: Sendable, Equatable {
        /// Kept by the web server, between two requests.
        public internal(set) var idle = 0
        /// Waiting for the rest of a head.
        public internal(set) var readingHead = 0
        /// Waiting for the rest of a body.
        public internal(set) var readingBody = 0
        /// A worker has them: it reads, runs a handler, or sends.
        public internal(set) var working = 0
        /// Waiting for an async handler.
        public internal(set) var waiting = 0
        /// Waiting for more of a stream.
        public internal(set) var streaming = 0
        /// Waiting for the web server to read.
        public internal(set) var sending = 0
        /// Answered, until the rest of what was sent has been read away.
        public internal(set) var closing = 0
    }

    /// A request that is being answered.
    public struct ActiveRequest: Sendable {
        /// As it was sent.
        public let method: String
        /// As it was sent, without its query.
        public let path: String
        /// The web server's id of it.
        public let requestID: String?
        /// Since its head was there.
        public let age: Duration
        /// The worker that runs its handler; nil while it waits without one.
        public let worker: Int?
        /// What it does.
        public let state: State

        /// What a request does.
        public enum State: String, Sendable {
            /// Its body is on the way.
            case reading
            /// A worker runs its handler.
            case running
            /// Its handler runs past its deadline.
            case stuck
            /// Its async handler waits.
            case waiting
            /// Its stream goes on.
            case streaming
            /// The web server does not read the answer.
            case sending
        }
    }
}

extension Server {
    /// What the server is doing at this moment.
    ///
    /// Cost: a look at each connection, for as long as it takes to copy a few words under its lock.
    ///
    /// - Parameter limit: How many requests are listed.
    public func status(requests limit: Int = 0) -> ServerStatus {
        var status = engine.status(requests: limit)
        status.statistics = statistics
        return status
    }
}

extension Engine {
    func status(requests limit: Int) -> ServerStatus {
        let now = BootInstant.now
        var status = ServerStatus()
        status.uptime = startedAt.duration(to: now)
        status.latency = latency.total
        status.lastHour = latency.lastHour(at: now)
        status.refusedHeads = refusedHeadKinds.withLock { $0 }
        var found: [(ConnectionState.Unanswered, worker: Int?, ServerStatus.ActiveRequest.State)] = []
        for index in 0..<table.scanLimit {
            table.withSlot(index) { slot in
                slot.state.count(in: &status.connections)
                if limit > 0, let request = slot.state.activeRequest { found.append(request) }
            }
        }
        found.sort { $0.0.startedAt < $1.0.startedAt }
        status.requests = found.prefix(limit).map { request, worker, state in
            let context = request.context
            defer { context.endLook() }
            return ServerStatus.ActiveRequest(
                method: LogText.clean(context.string(of: "REQUEST_METHOD") ?? "-"),
                path: LogText.clean(context.sentPath),
                requestID: context.string(of: "REQUEST_ID").map(LogText.clean),
                age: request.startedAt.duration(to: now), worker: worker, state: state)
        }
        return status
    }
}

extension ConnectionState {
    fileprivate func count(in connections: inout ServerStatus.Connections) {
        switch phase {
        case .free: break
        case .held, .running, .overrun: connections.working += 1
        case .idle:
            switch waiting {
            case .request: connections.idle += 1
            case .turn: connections.working += 1
            case .head: connections.readingHead += 1
            case .body: connections.readingBody += 1
            case .handler: connections.waiting += 1
            case .stream: connections.streaming += 1
            case .room: connections.sending += 1
            case .farewell: connections.closing += 1
            }
        }
    }

    /// The request that is being answered, its worker, and what it does.
    fileprivate var activeRequest: (Unanswered, worker: Int?, ServerStatus.ActiveRequest.State)? {
        switch phase {
        case .free, .held: return nil
        case .running: return running.map { ($0, worker, .running) }
        case .overrun: return running.map { ($0, worker, .stuck) }
        case .idle:
            guard let (request, _) = waiting.unanswered else { return nil }
            switch waiting {
            case .body: return (request, nil, .reading)
            case .handler: return (request, nil, .waiting)
            case .stream: return (request, nil, .streaming)
            case .room: return (request, nil, .sending)
            case .request, .turn, .head, .farewell: return nil
            }
        }
    }
}
