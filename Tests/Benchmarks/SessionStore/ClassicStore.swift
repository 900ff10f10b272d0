internal import GalletaPlatform
internal import Glibc
internal import Sessions

/// The well-known teaching design, ported as it stands: a dictionary from the id to an element of a linked list in order
/// of use, all behind one lock. A visit moves the element to the front, a new one is pushed to the back, and the
/// collection takes expired ones from the back under the one lock, until it meets a live one.
///
/// With `String` for its ids as in the original, or with `SessionID`, which spares it the text of each id.
///
/// Kinder than the original: one lock a visit instead of two, no lock forgotten, links without reference counts one way.
final class ClassicStore<ID: ClassicID>: BenchmarkedStore {
    private struct State {
        var sessions: [ID: ClassicSession<ID>] = [:]
        var list = ClassicList<ID>()
    }

    private let state = Locked(State())

    init(capacity: Int, collects: Bool) throws {
        guard collects else { return }
        // For the life of the process: each run has its own.
        _ = try SystemThread(name: "classic-gc") { [self] in
            while true {
                sleep(1)
                collect()
            }
        }
    }

    func create(_ text: UnsafeRawBufferPointer, seconds: Int) throws {
        let values: [String: any Sendable] = [
            "name": String(decoding: text[0..<16], as: UTF8.self), "visits": 12_345 as Int64,
            "note": String(decoding: text[16..<40], as: UTF8.self),
        ]
        let id = ID(cookie: text)
        state.withLock { state in
            let session = ClassicSession(
                id: id, values: values, lastSeen: BootInstant.now.nanoseconds, lifetime: Int64(seconds) * 1_000_000_000)
            state.sessions[id] = session
            state.list.pushBack(session)
        }
    }

    func read(_ text: UnsafeRawBufferPointer) -> Int64? {
        visit(text)
    }

    func visit(_ text: UnsafeRawBufferPointer) -> Int64? {
        let id = ID(cookie: text)
        let values: [String: any Sendable]? = state.withLock { state in
            guard let session = state.sessions[id] else { return nil }
            session.lastSeen = BootInstant.now.nanoseconds
            state.list.moveToFront(session)
            return session.values
        }
        return values?["visits"] as? Int64
    }

    func update(_ text: UnsafeRawBufferPointer) throws {
        let id = ID(cookie: text)
        state.withLock { state in
            guard let session = state.sessions[id] else { return }
            session.lastSeen = BootInstant.now.nanoseconds
            state.list.moveToFront(session)
            session.values["visits"] = (session.values["visits"] as? Int64 ?? 0) + 1
        }
    }

    func destroy(_ text: UnsafeRawBufferPointer) -> Bool {
        let id = ID(cookie: text)
        return state.withLock { state in
            guard let session = state.sessions.removeValue(forKey: id) else { return false }
            state.list.remove(session)
            return true
        }
    }

    private func collect() {
        state.withLock { state in
            let now = BootInstant.now.nanoseconds
            while let session = state.list.last, session.lastSeen + session.lifetime <= now {
                state.sessions[session.id] = nil
                state.list.remove(session)
            }
        }
    }

    var sessions: Int { state.withLock { $0.sessions.count } }
}
