internal import GalletaPlatform
internal import Glibc

/// All connections of a server, in slots that are reused.
///
/// An epoll event names a slot and the generation it was armed for, so an event that comes late, after the descriptor's
/// number was given to another connection, is recognised and dropped.
///
/// Invariants, each kept under the slot's lock:
/// - `fd` is open from `open` to `close`, and closed nowhere else;
/// - the worker that moved a slot from `.idle` to `.head` is the only one to read, write or close it, until it parks it;
/// - others may only `shutdown` it, and only in `.running`.
final class ConnectionTable: @unchecked Sendable {
    /// What a slot's connection is doing.
    enum Phase: UInt8 {
        /// No connection.
        case free
        /// Waiting in the epoll set; for what, says `waiting`.
        case idle
        /// A worker looks at what has arrived.
        case head
        /// A worker answers its request.
        case running
        /// As `running`, but past its deadline: the connection is shut down, the handler still runs.
        case overrun
    }

    /// What an idle connection waits for.
    enum Waiting {
        /// The first byte of a request.
        case request
        /// Its next turn: it has had one, and these bytes were not looked at.
        case turn(following: [UInt8])
        /// The rest of a head.
        case head(Intake)
        /// The rest of a body.
        case body(Intake)
        /// Room for the rest of an answer.
        case room(Departure)

        /// The request that ends with the connection, and the status of its answer, for its summary.
        var unanswered: (Unanswered, status: Int)? {
            switch self {
            case .request, .turn, .head: nil
            case .body(let arrival): (Unanswered(context: arrival.context, startedAt: arrival.startedAt), 408)
            case .room(let answer): (Unanswered(context: answer.context, startedAt: answer.startedAt), answer.status)
            }
        }

        /// Something of a request has arrived, but not all.
        var isForRest: Bool {
            switch self {
            case .head, .body: true
            case .request, .turn, .room: false
            }
        }

        /// Nothing of a request has arrived.
        var isForRequest: Bool { if case .request = self { true } else { false } }
    }

    /// A request whose summary nobody has made yet.
    struct Unanswered {
        let context: RequestContext
        let startedAt: BootInstant
    }

    struct Slot {
        var mutex = pthread_mutex_t()
        var fd: Int32 = -1
        var generation: UInt32 = 0
        var phase = Phase.free
        /// An event came while a worker held the connection: it looks again before parking.
        var isPending = false
        /// What an idle connection waits for; the deadline is that one's.
        var waiting = Waiting.request
        /// A request has been answered on this connection.
        var hasServed = false
        /// The deadline has passed; a worker is on its way to say so.
        var isOverdue = false
        var deadline = BootInstant(nanoseconds: .max)
        /// The worker that runs the handler.
        var worker = 0
        /// What it answers. Whoever takes this out makes the summary: the worker, or who cuts the connection.
        var unanswered: Unanswered?
        /// The descriptor is in the epoll set.
        var isWatched = false
        /// The epoll set tells of room, too.
        var isWatchedForRoom = false

        /// Takes a fresh connection, held by the caller.
        mutating func open(_ fd: Int32) {
            self.fd = fd
            phase = .head
            isPending = false
            waiting = .request
            hasServed = false
            isOverdue = false
            isWatched = false
            isWatchedForRoom = false
            deadline = BootInstant(nanoseconds: .max)
        }

        /// Forgets the connection; events still on their way carry the old generation.
        mutating func free() {
            fd = -1
            phase = .free
            waiting = .request
            unanswered = nil
            generation = generation >= EventKey.lastGeneration ? 0 : generation + 1
        }
    }

    // Safe: allocated once, never moved; every access to a slot's content holds the slot's mutex.
    private let slots: UnsafeMutablePointer<Slot>
    let capacity: Int

    private struct Directory {
        /// Free slots, the lowest index last, so that scans stay short.
        var free: [UInt32]
        var open = 0
        var highest = 0
        var isStopping = false
    }

    private let directory: Locked<Directory>

    init(capacity: Int) {
        self.capacity = capacity
        slots = .allocate(capacity: capacity)
        for index in 0..<capacity {
            (slots + index).initialize(to: Slot())
            pthread_mutex_init(&slots[index].mutex, nil)
        }
        directory = Locked(Directory(free: (0..<UInt32(capacity)).reversed()))
    }

    deinit {
        for index in 0..<capacity { pthread_mutex_destroy(&slots[index].mutex) }
        slots.deinitialize(count: capacity)
        slots.deallocate()
    }

    /// Connections that are open.
    var openCount: Int { directory.withLock { $0.open } }

    /// One past the highest slot ever used: where scans may end.
    var scanLimit: Int { directory.withLock { $0.highest } }

    @inline(__always)
    func withSlot<Result>(_ index: Int, _ body: (inout Slot) -> Result) -> Result {
        let slot = slots + index
        pthread_mutex_lock(&slot.pointee.mutex)
        defer { pthread_mutex_unlock(&slot.pointee.mutex) }
        return body(&slot.pointee)
    }

    /// Reserves a slot, or nil if all are taken.
    func reserve() -> Int? {
        directory.withLock { directory in
            guard let index = directory.free.popLast() else { return nil }
            directory.open += 1
            directory.highest = max(directory.highest, Int(index) + 1)
            return Int(index)
        }
    }

    /// Gives back a slot whose phase is `.free`.
    func release(_ index: Int) {
        directory.withLock { directory in
            directory.free.append(UInt32(index))
            directory.open -= 1
        }
    }
}
