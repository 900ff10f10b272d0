internal import GalletaPlatform

extension ConnectionState {
    /// What an idle connection waits for.
    enum Waiting {
        /// The first byte of a request.
        case request
        /// Its next turn: it has had one, and these bytes were not looked at.
        case turn(following: [UInt8])
        /// The rest of a head.
        case head(Exchange)
        /// The rest of a body.
        case body(Exchange)
        /// What an async handler returns.
        case handler(Exchange)
        /// More of a stream, from the task that writes it.
        case stream(Exchange)
        /// Room for the rest of an answer.
        case room(Exchange)
        /// The end of what a peer sends that has been answered before; so many bytes more are read away, until then.
        case farewell(left: Int, until: BootInstant)

        /// The request that ends with the connection, and the status of its answer, for its summary.
        var unanswered: (Unanswered, status: Int)? {
            switch self {
            case .request, .turn, .head, .farewell: nil
            case .body(let exchange): (Unanswered(exchange), 408)
            case .handler(let exchange): (Unanswered(exchange), 504)
            case .stream(let exchange), .room(let exchange): (Unanswered(exchange), exchange.status)
            }
        }

        /// The request whose task is to end with the connection.
        var exchange: Exchange? {
            switch self {
            case .request, .turn, .farewell: nil
            case .head(let exchange), .body(let exchange), .handler(let exchange), .stream(let exchange),
                .room(let exchange):
                exchange
            }
        }

        /// Nothing of its next request has been read.
        var isForNext: Bool {
            switch self {
            case .request: true
            case .turn(let following): following.isEmpty
            case .head, .body, .handler, .stream, .room, .farewell: false
            }
        }

        /// A task may say that there is something to be done.
        var isForTask: Bool {
            switch self {
            case .handler, .stream, .room: true
            case .request, .turn, .head, .body, .farewell: false
            }
        }

        /// Something of a request has arrived, but not all.
        var isForRest: Bool {
            switch self {
            case .head, .body: true
            case .request, .turn, .handler, .stream, .room, .farewell: false
            }
        }
    }

    /// A request whose summary nobody has made yet.
    struct Unanswered {
        let context: RequestContext
        let startedAt: BootInstant

        init(_ exchange: Exchange) {
            context = exchange.context
            // Of a head that was refused nothing is known.
            startedAt = exchange.check.hasHead ? exchange.startedAt : .now
        }
    }
}
