import GalletaPlatform
import Glibc

/// A client's connection through a ``RedisProxy``, with what is under way in both directions. For the proxy's thread.
final class RedisProxyConnection {
    private let client: StreamSocket
    private var server: StreamSocket?
    /// What the client has sent and the server has not got.
    private var requests: [UInt8] = []
    /// What the server has sent and the client has not got, with the time when it came.
    private var replies: [(bytes: ArraySlice<UInt8>, arrival: BootInstant)] = []
    /// False once the client has closed its side.
    private(set) var hasClient = true
    private var hasServerEnded = false
    private var hasPassedEnd = false
    /// True once both sides are to be closed.
    private(set) var isFinished = false
    /// The mode that the next two are about, as a count of changes.
    private var modeChange = -1
    private var repliesInMode = 0
    private var nextDrip: BootInstant?

    init(_ client: StreamSocket) {
        self.client = client
    }

    /// Ends both sides before they are closed: a program that another test is starting may hold a copy of the descriptors
    /// for a moment, and a connection is not closed before its last one is.
    func end() {
        for socket in [client, server] { if let socket { shutdown(socket.fd, Int32(SHUT_RDWR)) } }
    }

    /// Reads and sends what can be at once.
    ///
    /// - Parameter change: Differs whenever the mode has been set anew.
    /// - Returns: How many bytes the client has sent, and how many it was sent.
    func transfer(
        _ mode: RedisProxy.Mode, since change: Int, now: BootInstant, connect: () throws -> StreamSocket
    ) -> (requests: Int, replies: Int) {
        if change != modeChange { (modeChange, repliesInMode, nextDrip) = (change, 0, nil) }
        let taken = requests.count
        while hasClient, let bytes = client.receiveSome() {
            requests += bytes
            hasClient = !bytes.isEmpty
        }
        let count = requests.count - taken
        guard mode != .hold else { return (count, 0) }
        if server == nil { server = try? connect() }
        guard let server else {
            isFinished = true
            return (count, 0)
        }
        sendRequests(to: server)
        while !hasServerEnded, let bytes = server.receiveSome() {
            hasServerEnded = bytes.isEmpty
            if !bytes.isEmpty { replies.append((bytes[...], now)) }
        }
        if case .drip(let interval) = mode, nextDrip == nil, !replies.isEmpty { nextDrip = now.advanced(by: interval) }
        let sent = sendReplies(mode, now: now)
        if hasServerEnded, replies.isEmpty, mode != .holdReplies { isFinished = true }
        return (count, sent)
    }

    private func sendRequests(to server: StreamSocket) {
        while !requests.isEmpty {
            let count = server.sendSome(requests[...])
            guard count > 0 else {
                // A server that takes no more says why by its end, which is read next.
                if errno != EAGAIN, errno != EINTR { requests = [] }
                break
            }
            requests.removeFirst(count)
        }
        if !hasClient, requests.isEmpty, !hasPassedEnd {
            server.closeSending()
            hasPassedEnd = true
        }
    }

    private func sendReplies(_ mode: RedisProxy.Mode, now: BootInstant) -> Int {
        var sent = 0
        while let first = replies.first, case let allowed = allowance(mode, now: now), allowed > 0 {
            let count = client.sendSome(first.bytes.prefix(allowed))
            guard count > 0 else {
                if errno != EAGAIN, errno != EINTR { isFinished = true }
                break
            }
            sent += count
            repliesInMode += count
            replies[0].bytes = first.bytes.dropFirst(count)
            if replies[0].bytes.isEmpty { replies.removeFirst() }
            if case .drip(let interval) = mode {
                nextDrip = replies.isEmpty ? nil : now.advanced(by: interval)
            }
        }
        if case .cut(let limit) = mode, repliesInMode >= limit, limit > 0 || !replies.isEmpty { isFinished = true }
        return sent
    }

    /// How many bytes of the first reply may go to the client now.
    private func allowance(_ mode: RedisProxy.Mode, now: BootInstant) -> Int {
        guard let first = replies.first else { return 0 }
        switch mode {
        case .forward: return first.bytes.count
        case .delay(let time): return first.arrival.advanced(by: time) <= now ? first.bytes.count : 0
        case .drip: return nextDrip.map { $0 <= now } == true ? 1 : 0
        case .cut(let limit): return limit - repliesInMode
        case .hold, .holdReplies: return 0
        }
    }

    /// What to wait for, and how long at most.
    func interests(_ mode: RedisProxy.Mode, now: BootInstant) -> (descriptors: [pollfd], due: Duration?) {
        var due: Duration?
        switch mode {
        case .delay(let time): due = (replies.first?.arrival.advanced(by: time)).map { now.duration(to: $0) }
        case .drip: due = nextDrip.map { now.duration(to: $0) }
        default: break
        }
        if let wait = due, wait <= .zero { due = nil }
        func interest(_ socket: StreamSocket?, reads: Bool, writes: Bool) -> pollfd {
            let events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0)
            // A descriptor without a wish would still report its peer's end, again and again.
            return pollfd(fd: events == 0 ? -1 : socket?.fd ?? -1, events: Int16(events), revents: 0)
        }
        return (
            [
                interest(client, reads: hasClient, writes: allowance(mode, now: now) > 0),
                interest(server, reads: !hasServerEnded && mode != .hold, writes: !requests.isEmpty && mode != .hold),
            ], due
        )
    }
}
