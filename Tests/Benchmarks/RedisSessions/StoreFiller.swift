internal import GalletaPlatform
internal import Sessions

/// Begins sessions of three small values from several threads, each waiting for the store as a worker would.
final class StoreFiller: Sendable {
    enum Kind: String {
        /// Nobody is logged in.
        case anonymous
        /// Each session has a user of its own.
        case users
    }

    private enum Failure: Error {
        /// The store refused a session that it has room for.
        case refused
        /// A session that was begun is not there, or another is.
        case lost
        /// A thread did not end.
        case stuck
    }

    private struct State {
        var sample: [(index: Int, id: SessionID)] = []
        var failure: (any Error)?
    }

    private static let threads = 8
    /// One of so many sessions is read back.
    private static let stride = 50

    private let provider: any SessionProvider
    private let count: Int
    private let kind: Kind
    private let state = Locked(State())

    init(_ provider: any SessionProvider, count: Int, kind: Kind) {
        (self.provider, self.count, self.kind) = (provider, count, kind)
    }

    /// The sessions that ``read()`` reads.
    var kept: Int { state.withLock { $0.sample.count } }

    /// Begins the sessions.
    ///
    /// - Returns: The seconds that it took.
    func create() throws -> Double {
        try inParallel(count) { [self] index in
            let id = provider.idFormat.draw()
            guard case .created = try provider.create(id, draft(index)) else { throw Failure.refused }
            if index % Self.stride == 0 { state.withLock { $0.sample.append((index, id)) } }
        }
    }

    /// Reads some of them again.
    ///
    /// - Returns: The seconds that it took.
    func read() throws -> Double {
        let sample = state.withLock { $0.sample }
        return try inParallel(sample.count) { [self] place in
            let (index, id) = sample[place]
            guard case .found(let record) = try provider.lookUp(SessionHandle(id)),
                case .int(Int64(index))? = record.values["visits"]
            else { throw Failure.lost }
        }
    }

    private func draft(_ index: Int) throws -> SessionDraft {
        // As wide as a name and a note are; all of the same size, so that the mean is that of any of them.
        let number = Self.padded(index)
        var values: [(SessionKey, SessionValue)] = [
            (SessionKey("name"), .string("visitor-\(number)")),
            (SessionKey("visits"), .int(Int64(index))),
            (SessionKey("note"), .string("a note of this visitor's")),
        ]
        if kind == .users { values.append((.user, .name(ByteString("user-\(number)")))) }
        return try SessionDraft(
            values: SessionValues(values), idleTimeout: .seconds(1_800), absoluteTimeout: .seconds(43_200))
    }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// Calls `body` with each number below `count`; the first error ends all threads.
    private func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws -> Double {
        let start = BootInstant.now
        let threads = try (0..<Self.threads).map { thread in
            try SystemThread(name: "filler-\(thread)") { [self] in
                do {
                    for index in Swift.stride(from: thread, to: count, by: Self.threads) {
                        try body(index)
                        if index % 1024 == 0, state.withLock({ $0.failure != nil }) { return }
                    }
                } catch {
                    state.withLock { $0.failure = $0.failure ?? error }
                }
            }
        }
        for thread in threads {
            guard thread.join(timeout: .seconds(1_800)) else { throw Failure.stuck }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
        return start.duration(to: .now) / .seconds(1)
    }
}
