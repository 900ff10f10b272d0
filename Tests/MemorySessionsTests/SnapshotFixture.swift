import Foundation
import Logging
import Sessions
import SessionsTesting
import TestSupport

@testable import MemorySessions

/// A state file in a folder of its own, and the providers that use it in turn.
struct SnapshotFixture {
    let folder: TemporaryFolder
    let time = ManualSessionClock()
    let log = LogLines()
    var path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("state")
    }

    func start(
        maximumSessions: Int = 1_000_000, clock: SessionClock? = nil, lockTimeout: Duration = .seconds(5),
        disk: any StateDisk = SystemDisk()
    ) throws -> MemoryProvider {
        var configuration = MemoryProvider.Configuration()
        configuration.clock = clock ?? time.clock
        configuration.maximumSessions = maximumSessions
        configuration.maximumBytes = 1 << 30
        configuration.collectsInBackground = false
        configuration.state = .init(path: path, interval: .seconds(86_400), lockTimeout: lockTimeout)
        configuration.state?.disk = disk
        let log = log
        configuration.logger = Logger(label: "test") { _ in log }
        return try MemoryProvider(configuration: configuration)
    }

    var bytes: [UInt8] {
        (FileManager.default.contents(atPath: path)).map { [UInt8]($0) } ?? []
    }

    func write(_ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o600)
    }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    }

    /// The records of bytes, and what was found out about them.
    static func read(_ bytes: [UInt8], piece: Int = 1 << 20) -> (report: SnapshotReport, records: [MemoryEntry]) {
        var offset = 0
        var records: [MemoryEntry] = []
        let report = SnapshotReader.read { target in
            let count = min(piece, target.count, bytes.count - offset)
            target.copyBytes(from: bytes[offset..<(offset + count)])
            offset += count
            return count
        } begin: { _ in
        } visit: {
            guard let record = MemoryEntry($0) else { return false }
            records.append(record)
            return true
        }
        return (report, records)
    }
}

extension MemoryProvider {
    @discardableResult
    func begin(
        _ user: ByteString? = nil, id: SessionID = .random(), text: String = "x", idle: Duration = .seconds(100),
        absolute: Duration = .seconds(1_000)
    ) throws -> SessionID {
        var values: [(SessionKey, SessionValue)] = [(SessionKey("text"), .string(text))]
        if let user { values.append((.user, .name(user))) }
        let draft = SessionDraft(values: try SessionValues(values), idleTimeout: idle, absoluteTimeout: absolute)
        guard case .created = create(id, draft) else { throw TestFailure(description: "not created") }
        return id
    }

    /// Ends as a crash does: no last snapshot is written.
    func crash() {
        keeper?.abandon()
    }
}

/// A log that tests look at. Thread-safe.
final class LogLines: LogHandler, @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []

    var logLevel: Logger.Level {
        get { .info }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        add("\(event.level): \(event.message)")
    }

    func add(_ line: String) {
        lock.withLock { lines.append(line) }
    }

    var all: [String] { lock.withLock { lines } }

    func contains(_ parts: String...) -> Bool {
        all.contains { line in parts.allSatisfy { line.contains($0) } }
    }
}
