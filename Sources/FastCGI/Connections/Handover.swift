internal import GalletaPlatform

/// Where connections go at a stop that wait for their next request: to who serves the socket after this process. Requests that
/// are sent on them meanwhile wait in them, as new connections wait in the socket.
///
/// Threading: any thread.
final class Handover: Sendable {
    /// Takes descriptors, which the caller closes then; false if it has not.
    typealias Taker = @Sendable ([Int32]) -> Bool

    private struct State {
        var taker: Taker?
        /// So many more are taken.
        var room = 0
        var given = 0
    }

    private let state = Locked(State())

    /// Most of them at a time: what one message holds (unix(7), SCM_RIGHTS).
    static let batch = 200

    func open(atMost limit: Int, _ taker: @escaping Taker) {
        state.withLock { $0 = State(taker: taker, room: limit) }
    }

    /// Whether another one is taken.
    var isOpen: Bool { state.withLock { $0.taker != nil && $0.room > 0 } }

    /// How many were.
    var count: Int { state.withLock { $0.given } }

    /// False if none of them was taken.
    func give(_ descriptors: [Int32]) -> Bool {
        let taker = state.withLock { state -> Taker? in
            guard let taker = state.taker, state.room >= descriptors.count else { return nil }
            state.room -= descriptors.count
            return taker
        }
        guard let taker else { return false }
        let isTaken = taker(descriptors)
        state.withLock { state in
            if isTaken { state.given += descriptors.count } else { state.taker = nil }
        }
        return isTaken
    }
}

extension Engine {
    /// Gives away a connection that the caller holds. False where it stays: it does not wait for its next request, or there is
    /// no successor.
    func handOver(slot index: Int, _ waiting: ConnectionState.Waiting) -> Bool {
        guard stage != .serving, waiting.isForNext, handover.isOpen else { return false }
        let fd = table.withSlot(index) { $0.state.takeHeld() ? $0.fd : -1 }
        guard fd >= 0, handover.give([fd]) else { return false }
        letGo(index, fd)
        return true
    }

    /// Gives away those in these slots that wait for their next request.
    func handOver(idle slots: Range<Int>) {
        guard handover.isOpen else { return }
        var taken: [(slot: Int, fd: Int32)] = []
        for index in slots {
            let fd = table.withSlot(index) { $0.state.takeIdle() ? $0.fd : -1 }
            if fd >= 0 { taken.append((index, fd)) }
            if taken.count == Handover.batch {
                give(taken)
                taken = []
            }
        }
        give(taken)
    }

    private func give(_ taken: [(slot: Int, fd: Int32)]) {
        guard !taken.isEmpty else { return }
        if handover.give(taken.map(\.fd)) {
            for (slot, fd) in taken { letGo(slot, fd) }
        } else {
            for (slot, _) in taken {
                if case .mustClose = park(slot: slot, .request, isReadable: true) { close(slot: slot) }
            }
        }
    }

    private func letGo(_ slot: Int, _ fd: Int32) {
        // The close alone would not end its events: the connection is open elsewhere.
        poller.forget(fd)
        close(slot: slot)
    }

    /// Takes up the connections that a predecessor has given away.
    func takeOver() {
        acceptor.takeOver { slot in
            if case .mustClose = park(slot: slot, .request) { close(slot: slot) }
        }
    }
}
