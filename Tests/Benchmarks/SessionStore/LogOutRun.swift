internal import GalletaPlatform
internal import Glibc
internal import MemorySessions
internal import Sessions

/// What a log-out costs whose answer waits for the journal, against one without; on the disk of a folder.
struct LogOutRun {
    let folder: String
    /// Threads that log out, each waiting for its answer before the next.
    let clients: Int

    private static let perClient = 500

    func run() throws {
        for isJournaled in [false, true] { try run(isJournaled: isJournaled) }
    }

    private func run(isJournaled: Bool) throws {
        var configuration = MemoryProvider.Configuration()
        var file = MemoryProvider.StateFile(path: "\(folder)/log-outs-\(isJournaled)", interval: .seconds(86_400))
        file.isJournaled = isJournaled
        configuration.state = file
        let provider = try MemoryProvider(configuration: configuration)
        defer { provider.close() }
        let draft = SessionDraft(
            values: try SessionValues([
                (.user, .name("ada")), (SessionKey("note"), .string("twenty-four bytes of it.")),
            ]),
            idleTimeout: .seconds(1_800), absoluteTimeout: .seconds(43_200))
        let ids = (0..<(clients * Self.perClient)).map { _ in SessionID.random() }
        for id in ids {
            guard case .created = provider.create(id, draft) else { throw BenchmarkError.refused }
        }
        if let end = provider.journalEnd { try provider.settle(end) }

        let isLost = Locked(false)
        let start = Measure.nanoseconds()
        let computed = Measure.nanoseconds(CLOCK_PROCESS_CPUTIME_ID)
        let threads = try (0..<clients).map { number in
            try SystemThread(name: "client-\(number)") {
                for index in 0..<Self.perClient {
                    let isDone = provider.destroy(SessionHandle(ids[number * Self.perClient + index]))
                    do {
                        if let end = provider.journalEnd { try provider.settle(end) }
                    } catch {
                        isLost.withLock { $0 = true }
                    }
                    if !isDone { isLost.withLock { $0 = true } }
                }
            }
        }
        for thread in threads { _ = thread.join(timeout: nil) }
        let elapsed = Double(Measure.nanoseconds() - start)
        let used = Double(Measure.nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - computed)
        guard !isLost.withLock({ $0 }) else { throw BenchmarkError.lost }
        let name = isJournaled ? "journal" : "without"
        Report.line("\(name)-\(clients)-wait-us", elapsed / Double(Self.perClient) / 1e3)
        Report.line("\(name)-\(clients)-per-second", Double(ids.count) / elapsed * 1e9)
        Report.line("\(name)-\(clients)-cpu-us", used / Double(ids.count) / 1e3)
    }
}
