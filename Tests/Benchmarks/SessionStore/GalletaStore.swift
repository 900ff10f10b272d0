internal import MemorySessions
internal import Sessions

/// The memory provider, and for updates the session manager over it.
final class GalletaStore: BenchmarkedStore {
    private let provider: MemoryProvider
    private let manager: SessionManager
    /// No change, but a visit: the store finds, notes and returns in one call, as the port does under its one lock.
    private let visit: SessionPatch

    init(capacity: Int, collects: Bool) throws {
        var configuration = MemoryProvider.Configuration()
        configuration.maximumSessions = capacity
        configuration.maximumBytes = 1 << 32
        configuration.collectsInBackground = collects
        provider = try MemoryProvider(configuration: configuration)
        manager = try SessionManager(provider: provider)
        var visit = SessionPatch()
        visit.touches = true
        self.visit = visit
    }

    func create(_ text: UnsafeRawBufferPointer, seconds: Int) throws {
        let values = try SessionValues([
            (SessionKey("name"), .string(String(decoding: text[0..<16], as: UTF8.self))),
            (SessionKey("visits"), .int(12_345)),
            (SessionKey("note"), .string(String(decoding: text[16..<40], as: UTF8.self))),
        ])
        let draft = SessionDraft(
            values: values, idleTimeout: .seconds(seconds), absoluteTimeout: .seconds(max(seconds, 604_800)))
        guard case .created = provider.create(SessionID(encoded: text)!, draft) else { throw BenchmarkError.refused }
    }

    func read(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard let id = SessionID(encoded: text), case .found(let record) = provider.lookUp(SessionHandle(id)) else {
            return nil
        }
        return Self.visits(in: record.values)
    }

    func visit(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard let id = SessionID(encoded: text),
            case .committed(_, let values?, _)? = try? provider.commit(visit, to: SessionHandle(id), expecting: nil)
        else { return nil }
        return Self.visits(in: values)
    }

    @inline(__always)
    private static func visits(in values: SessionValues) -> Int64? {
        guard case .int(let visits)? = values["visits"] else { return nil }
        return visits
    }

    func update(_ text: UnsafeRawBufferPointer) throws {
        var header = Array("sid=".utf8)
        header.append(contentsOf: text)
        var candidates = SessionIDCandidates()
        header.withUnsafeBytes { candidates.collect(from: $0, named: manager.cookie) }
        let session = manager.open(candidates, isSecure: true)
        try session.update("visits", default: 0) { $0 += 1 }
        _ = try session.commit()
    }

    func destroy(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let id = SessionID(encoded: text) else { return false }
        return provider.destroy(SessionHandle(id))
    }

    var sessions: Int { provider.count() }
}
