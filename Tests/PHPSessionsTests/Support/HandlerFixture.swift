import Dispatch
import GalletaPlatform
import Logging
import MemorySessions
import TestSupport

@testable import PHPSessions

/// A store in memory with its socket for PHP's redis handler.
///
/// Safe from any thread.
final class HandlerFixture: Sendable {
    let folder: TemporaryFolder
    let store: MemoryStore
    let log = CapturedLog()
    let logger: Logger
    let id = PHPSessionID("0123456789abcdefghijklmnop")!
    /// Keeps the state file, where there is one.
    let keeper: StateKeeper?
    private let server: HandlerServer

    var socket: String { folder.file("php.sock") }
    /// As PHP's settings have it.
    var savePath: String { "unix://\(socket)" }
    var key: String { "PHPREDIS_SESSION:\(id.text)" }
    var lock: String { key + "_LOCK" }

    /// - Parameter state: The file that keeps the store's sessions.
    init(
        _ adjust: (inout HandlerServer.Configuration) -> Void = { _ in }, state: MemoryProvider.StateFile? = nil,
        store adjustStore: (inout MemoryStore.Configuration) -> Void = { _ in }
    ) throws {
        folder = try TemporaryFolder()
        let log = log
        let logger = Logger(label: "test") { _ in log }
        self.logger = logger
        var memory = MemoryStore.Configuration(idleTimeout: .seconds(3_600))
        memory.maxWaiters = 100
        memory.logger = logger
        adjustStore(&memory)
        let store = try MemoryStore(memory, journal: state?.makeJournal(of: .php))
        self.store = store
        keeper = try state.map {
            try StateKeeper(of: store, file: $0, logger: logger, queue: DispatchQueue(label: "test"))
        }
        var configuration = HandlerServer.Configuration(socket: folder.file("php.sock"))
        // Longer than a busy machine takes.
        configuration.lockPatience = .seconds(120)
        configuration.logger = logger
        adjust(&configuration)
        server = try HandlerServer(configuration, store: store)
    }

    deinit {
        close()
    }

    func close() {
        server.close()
        store.close()
        keeper?.close()
    }

    /// Ends as a crash does: what is not in the files is lost.
    func crash() {
        keeper?.abandon()
        close()
    }

    func line() throws -> RedisLine { try RedisLine(unix: socket) }

    func put(_ text: String) throws { _ = try line().ask("SETEX", key, "1440", text) }

    var text: String? {
        (try? store.read(id, until: .patient)).flatMap { $0 }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// Waits until so many wait for the session.
    func awaitWaiters(_ count: Int) -> Bool { eventually { store.waiterCount(of: id) == count } }
}
