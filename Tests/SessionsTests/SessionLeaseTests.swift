import GalletaPlatform
import MemorySessions
import Sessions
import Testing

@Suite("A lease")
struct SessionLeaseTests {
    /// What was done with which lease, and which of them are held.
    final class Book: Sendable {
        let calls = Locked<[String]>([])
        let held = Locked<Set<Int>>([])

        func note(_ call: String, _ session: SessionHandle) {
            let number = (session.lease as? Lease)?.number
            calls.withLock { $0.append(call + (number.map { " \($0)" } ?? "")) }
        }
    }

    final class Lease: Sendable {
        let number: Int
        private let book: Book

        init(_ number: Int, _ book: Book) {
            self.number = number
            self.book = book
            book.held.withLock { _ = $0.insert(number) }
        }

        deinit {
            book.held.withLock { [number] in _ = $0.remove(number) }
        }
    }

    /// The memory provider, with a lease for each session that a request has found or begun.
    final class LeasingProvider: SessionProvider {
        let base: MemoryProvider
        let book = Book()
        private let next = Locked(1)

        init() throws { base = try MemoryProvider() }

        private func lease() -> Lease {
            let number = next.withLock { next in
                defer { next += 1 }
                return next
            }
            return Lease(number, book)
        }

        func lookUp(_ session: SessionHandle) throws -> SessionFinding {
            book.note("look up", session)
            guard case .found(var record) = base.lookUp(session) else { return .none }
            if session.lease == nil { record.lease = lease() }
            return .found(record)
        }
        func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
            guard case .created = base.create(id, draft) else { return .full }
            return .created(lease: lease())
        }
        func commit(
            _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
        ) throws -> SessionCommitOutcome {
            book.note("commit", session)
            return try base.commit(patch, to: session, expecting: version)
        }
        func touch(_ session: SessionHandle) throws -> SessionTouch {
            book.note("touch", session)
            return base.touch(session)
        }
        func destroy(_ session: SessionHandle) throws -> Bool {
            book.note("destroy", session)
            return base.destroy(session)
        }
        func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
            book.note("rotate", session)
            return base.rotate(session, to: new, grace: grace)
        }
        func close() {}
    }

    private let provider: LeasingProvider
    private let manager: SessionManager

    init() throws {
        provider = try LeasingProvider()
        manager = try SessionManager(provider: provider)
    }

    private var book: Book { provider.book }
    private var held: Set<Int> { book.held.withLock { $0 } }

    private func begun() throws -> SessionID {
        let session = manager.open(SessionIDCandidates(), isSecure: false)
        try session.set("k", 1)
        let id = try #require(try session.commit().id)
        book.calls.withLock { $0.removeAll() }
        return id
    }

    private func open(_ id: SessionID) -> Session {
        manager.open(SessionIDCandidates(id), isSecure: false)
    }

    @Test("comes back with every call of its request, over a rotation, too")
    func comesBack() throws {
        let session = open(try begun())
        _ = try session.update("k", default: 0) { $0 += 1 }
        try session.rotate()
        try session.set("k", 3)
        _ = try session.commit()
        #expect(book.calls.withLock { $0 } == ["look up", "commit 2", "rotate 2", "commit 2"])
        #expect(held.isEmpty)
    }

    enum Ending: CaseIterable, Sendable {
        case commit, discard, commitWithoutChange, destroy, nothing, lost
    }

    @Test("is let go of when its request ends, however it ends", arguments: Ending.allCases)
    func letGo(ending: Ending) throws {
        let id = try begun()
        #expect(held.isEmpty, "that of the request which began the session")
        do {
            let session = open(id)
            #expect(try session.get("k", as: Int.self) == 1)
            #expect(held.count == 1)
            switch ending {
            case .commit:
                try session.set("k", 2)
                _ = try session.commit()
            case .discard: _ = session.discard()
            case .commitWithoutChange: _ = try session.commit()
            case .destroy: try session.destroy()
            case .lost:
                _ = provider.base.destroy(SessionHandle(id))
                try session.set("k", 2)
                _ = try session.commit()
            case .nothing: break
            }
            #expect(held.isEmpty || ending == .nothing, "while the request's body may still be on its way")
        }
        #expect(held.isEmpty)
    }

    @Test("of a session that a log-in puts in the place of another's is not taken for that one's")
    func otherUser() throws {
        let id = try begun()
        let first = open(id)
        try first.logIn(user: "ada")
        let cookie = try #require(try first.commit().id)
        book.calls.withLock { $0.removeAll() }
        let second = open(cookie)
        try second.logIn(user: "bob")
        try second.save()
        try second.set("k", 5)
        _ = try second.commit()
        let calls = book.calls.withLock { $0 }
        #expect(calls.first == "look up" && calls[1].hasPrefix("destroy "))
        #expect(calls[2].hasPrefix("commit ") && calls[2].dropFirst(7) != calls[1].dropFirst(8), "\(calls)")
        #expect(held.isEmpty)
    }
}
