internal import GalletaPlatform
internal import Glibc

/// One turn of a connection that a worker holds: what it brings, and how much of that, however fast it sends.
struct Turn {
    let fd: Int32
    let slot: Int
    /// The peer has said that nothing will come behind what waits there.
    private let hasEnded: Bool
    // Safe: the worker's, which outlives its turns.
    private let buffer: UnsafeMutableRawBufferPointer
    /// Where in the buffer bytes are that have not been looked at.
    private var rest = 0..<0
    private var budget = Turn.size
    /// The connection has not said that nothing more waits there.
    var mayHaveMore = false

    /// Bytes of a turn: then others have theirs.
    private static let size = 256 << 10
    /// What a request counts for, however few bytes it has: 16 of them are a turn.
    private static let requestCost = size / 16

    init(fd: Int32, slot: Int, hasEnded: Bool = false, buffer: UnsafeMutableRawBufferPointer) {
        self.fd = fd
        self.slot = slot
        self.hasEnded = hasEnded
        self.buffer = buffer
    }

    /// What to do with a connection after a look at it.
    enum Step {
        /// Park it.
        case wait(ConnectionState.Waiting)
        /// Look for the next request.
        case again
        case close
    }

    /// What to do with a connection after its request.
    enum Disposition {
        case keep
        case close
        /// The answer goes on later.
        case wait(ConnectionState.Waiting)
    }

    // MARK: Reading

    /// What came of reading.
    enum Arrival {
        /// There are bytes to be looked at.
        case bytes
        /// No more for now: nothing waits there, or the turn is over.
        case nothing
        /// The peer sends no more.
        case end
        /// The connection is broken.
        case broken
    }

    /// Reads what waits there, unless there are bytes that have not been looked at.
    mutating func read() -> Arrival {
        guard rest.isEmpty else { return .bytes }
        guard budget > 0 else {
            mayHaveMore = true
            return .nothing
        }
        while true {
            let count = recv(fd, buffer.baseAddress!, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                rest = 0..<count
                budget -= count
                mayHaveMore = count == buffer.count || hasEnded
                return .bytes
            }
            if count == 0 { return .end }
            if errno == EINTR { continue }
            mayHaveMore = false
            return errno == EAGAIN ? .nothing : .broken
        }
    }

    /// What has not been looked at.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[rest]) }

    /// So much of it has.
    mutating func take(_ count: Int) {
        rest = rest.lowerBound + count..<rest.upperBound
    }

    /// Takes up bytes that came behind an earlier request. What has come since raises no event of its own.
    mutating func resume(with bytes: [UInt8]) {
        mayHaveMore = true
        guard rest.isEmpty, !bytes.isEmpty else { return }
        buffer.copyBytes(from: bytes)
        rest = 0..<bytes.count
    }

    /// Gives away what has not been looked at, for another turn.
    mutating func takeRest() -> [UInt8] {
        defer { rest = 0..<0 }
        return Array(bytes)
    }

    /// A request is over: true if there may be time for another one.
    mutating func endRequest() -> Bool {
        budget -= Self.requestCost
        return budget > 0
    }

    /// Nothing is known to wait there.
    var isThrough: Bool { !mayHaveMore && rest.isEmpty }

    /// It was to be parked, and something has come in that moment.
    mutating func beginAgain() {
        budget = Self.size
    }
    // MARK: The end

    /// Closes in a way in which what was sent last is read: a connection that is closed over bytes unread is reset.
    ///
    /// - Parameter count: So many bytes that still come are read away.
    func bidFarewell(_ count: Int) -> Step {
        shutdown(fd, Int32(SHUT_WR))
        return .wait(.farewell(left: count, until: .now.advanced(by: .seconds(10))))
    }

    /// Goes on with that.
    mutating func readAway(_ count: Int, until end: BootInstant) -> Step {
        var left = count
        while left > 0 {
            switch read() {
            case .bytes:
                left -= bytes.count
                take(bytes.count)
            case .nothing: return .wait(.farewell(left: left, until: end))
            case .end, .broken: return .close
            }
        }
        return .close
    }
}
