import GalletaPlatform
import MemorySessions
import Sessions
import SessionsTesting
import TestSupport
import Testing

@Suite("A session whose store is awaited")
struct SessionParkingTests {
    /// A manager over a memory provider, awaited or not.
    private struct Fixture {
        let base: SessionFixture
        let parked: ParkedProvider
        let manager: SessionManager
        let events = Locked<[String]>([])

        init(awaited: Bool = true) throws {
            base = try SessionFixture()
            parked = ParkedProvider(base.provider)
            var configuration = SessionConfiguration()
            configuration.maximumSessionsPerUser = 1
            configuration.onEvent = { [events] event in events.withLock { $0.append("\(event)") } }
            manager = try SessionManager(
                provider: awaited ? parked : base.provider, configuration: configuration)
        }

        func open(_ id: SessionID? = nil) -> Session {
            manager.open(id.map { SessionIDCandidates($0) } ?? SessionIDCandidates(), isSecure: false)
        }

        /// A session that another request has begun.
        func begin() throws -> SessionID {
            let session = base.open()
            try session.set("k", "v")
            return try #require(try session.commit().id)
        }

        /// A session that another request has begun, in a request of its own.
        func visit() throws -> (id: SessionID, session: Session) {
            let id = try begin()
            return (id, open(id))
        }

        /// What the store has of a session.
        func kept(_ id: SessionID) throws -> SessionRecord? { try base.provider.read(id) }

        func value(_ name: String, of id: SessionID) throws -> SessionValue? { try kept(id)?.values[SessionKey(name)] }
    }

    // MARK: The same as without

    struct Scenario: CustomTestStringConvertible {
        let name: String
        var hasSession = true
        var idle = Duration.zero
        /// What the request does; the second is another request with the same cookie.
        let act: @Sendable (Session, Session) throws -> Void

        init(
            _ name: String, hasSession: Bool = true, idle: Duration = .zero,
            _ act: @escaping @Sendable (Session, Session) throws -> Void
        ) {
            (self.name, self.hasSession, self.idle, self.act) = (name, hasSession, idle, act)
        }

        var testDescription: String { name }
    }

    static let scenarios = [
        Scenario("not used") { _, _ in },
        Scenario("read") { session, _ in _ = try session.keys },
        Scenario("read after a while", idle: .seconds(600)) { session, _ in _ = try session.keys },
        Scenario("read by a poll after a while", idle: .seconds(600)) { session, _ in
            session.skipTouch()
            _ = try session.keys
        },
        Scenario("no session, read", hasSession: false) { session, _ in _ = try session.keys },
        Scenario("no session, set", hasSession: false) { session, _ in try session.set("n", 1) },
        Scenario("no session, log in", hasSession: false) { session, _ in try session.logIn(user: "ada") },
        Scenario("set") { session, _ in try session.set("n", 1) },
        Scenario("set after a while", idle: .seconds(600)) { session, _ in try session.set("n", 1) },
        Scenario("update") { session, _ in try session.update("n", default: 0) { $0 += 1 } },
        Scenario("delete the last") { session, _ in try session.delete("k") },
        Scenario("rotate") { session, _ in try session.rotate() },
        Scenario("rotate and set") { session, _ in
            try session.rotate()
            try session.set("n", 1)
        },
        Scenario("log in") { session, _ in try session.logIn(user: "ada") },
        Scenario("destroy") { session, _ in try session.destroy() },
        Scenario("destroy and set") { session, _ in
            try session.destroy()
            try session.set("n", 1)
        },
        Scenario("a lifetime of its own") { session, _ in
            try session.setLifetime(idleTimeout: .seconds(50), absoluteTimeout: .seconds(60))
        },
        Scenario("a form's token") { session, _ in _ = try session.csrfToken() },
        Scenario("set and rolled back") { session, _ in
            try session.set("n", 1)
            session.rollBack()
        },
        Scenario("set, where another has set") { session, other in
            try session.set("n", 1)
            try other.set("m", 2)
            _ = try other.commit()
        },
        Scenario("set, where another has rotated") { session, other in
            _ = try session.keys
            try other.rotate()
            _ = try other.commit()
            try session.set("n", 1)
        },
        Scenario("set, where another has logged out") { session, other in
            try session.set("n", 1)
            try other.destroy()
        },
        Scenario("a visit, where another has logged out", idle: .seconds(600)) { session, other in
            _ = try session.keys
            try other.destroy()
        },
        Scenario("rotated, where another has logged in") { session, other in
            try session.rotate()
            try other.logIn(user: "ada")
            _ = try other.commit()
        },
    ]

    /// What a scenario leads to, but for ids.
    private func outcome(_ scenario: Scenario, awaited: Bool) async throws -> (text: String, calls: [String]) {
        let fixture = try Fixture(awaited: awaited)
        // A session of the user who may log in.
        let elsewhere = fixture.base.open()
        try elsewhere.logIn(user: "ada")
        let elsewhereID = try #require(try elsewhere.commit().id)
        let id = scenario.hasSession ? try fixture.begin() : nil
        fixture.base.time.advance(by: scenario.idle)
        let session = fixture.open(id)
        if awaited { await session.prefetch() }
        try scenario.act(session, fixture.base.open(id))
        let commit = awaited ? try await session.commitAsync() : try session.commit()
        let again = awaited ? try await session.commitAsync() : try session.commit()
        #expect(commit.setCookie == again.setCookie && commit.isLost == again.isLost)
        let kept = try (commit.id ?? id).flatMap { try fixture.kept($0) }
        let values = kept.map { $0.values.keys.map { "\($0)" }.sorted().joined(separator: ",") } ?? "none"
        let user = kept?.values.user.map { "\($0)" } ?? "-"
        let isThere = try fixture.kept(elsewhereID) != nil
        let text = """
            cookie \(commit.id != nil) deletes \(commit.isDeletion) \(commit.cachePolicy) lost \(commit.isLost)
            holds \(values) of \(user), version \(kept?.version ?? 0), idle \(kept?.idleNanoseconds ?? 0)
            left \(kept?.idleRemainingNanoseconds ?? 0) \(kept?.absoluteRemainingNanoseconds ?? 0), the other \(isThere)
            events \(fixture.events.withLock { $0 })
            """
        return (text, fixture.parked.takeCalls())
    }

    @Test("ends as one whose store is waited for, whatever the request does", arguments: scenarios)
    func same(scenario: Scenario) async throws {
        let sync = try await outcome(scenario, awaited: false)
        let awaited = try await outcome(scenario, awaited: true)
        #expect(awaited.text == sync.text)
        #expect(sync.calls.isEmpty)
        for call in ["look up", "create", "touch"] { #expect(!awaited.calls.contains(call), "\(awaited.calls)") }
    }

    // MARK: Before the first use

    @Test("is looked up once, and that is what the first use finds")
    func prefetched() async throws {
        let fixture = try Fixture()
        let (_, session) = try fixture.visit()
        await session.prefetch()
        await session.prefetch()
        #expect(fixture.parked.takeCalls() == ["await look up"])
        #expect(try session.get("k", as: String.self) == "v")
        #expect(fixture.parked.takeCalls() == [])
        await session.prefetch()
        #expect(fixture.parked.takeCalls() == [])
    }

    @Test("that nobody uses needs no store: its failure is nobody's")
    func failedUnused() async throws {
        let fixture = try Fixture()
        let (_, session) = try fixture.visit()
        fixture.parked.setDown(true)
        await session.prefetch()
        let commit = try await session.commitAsync()
        #expect(commit.setCookie == nil && !commit.isLost)
        #expect(!session.isUsed && fixture.events.withLock { $0.isEmpty })
    }

    @Test("whose look-up has failed says so at its first use, and asks again at the next")
    func failedUsed() async throws {
        let fixture = try Fixture()
        let (_, session) = try fixture.visit()
        fixture.parked.setDown(true)
        await session.prefetch()
        fixture.parked.setDown(false)
        #expect(throws: SessionStoreError.self) { try session.keys }
        #expect(session.isUsed && fixture.events.withLock { $0.count } == 1)
        #expect(try session.get("k", as: String.self) == "v")
        #expect(fixture.parked.takeCalls() == ["await look up", "look up"])
    }

    @Test("loses no change of another request between its look-up and its update")
    func updateAfterPrefetch() async throws {
        let fixture = try Fixture()
        let (id, session) = try fixture.visit()
        await session.prefetch()
        for _ in 0..<5 {
            try increment("n", fixture.base.open(id))
            try await session.update("n", default: 0) { $0 += 1 }
        }
        #expect(try fixture.value("n", of: id) == .int(10))
        #expect(fixture.parked.takeCalls().allSatisfy { $0.hasPrefix("await") })
    }

    // MARK: While a call is awaited

    /// By calls that block.
    private func increment(_ key: ByteString, _ session: Session) throws {
        try session.update(key, default: 0) { $0 += 1 }
    }

    /// Begins a commit of `n` = 1 and stops where the store is asked.
    private func heldCommit(_ fixture: Fixture, _ session: Session) async throws -> Task<SessionCommit, any Error> {
        await session.prefetch()
        try session.set("n", 1)
        fixture.parked.hold()
        let commit = Task { try await session.commitAsync() }
        while fixture.parked.heldCount == 0 { await Task.yield() }
        return commit
    }

    /// A commit of `n` = 1 that the store does not take.
    private func failCommit(_ fixture: Fixture, _ session: Session) async throws {
        await session.prefetch()
        try session.set("n", 1)
        fixture.parked.setDown(true)
        await #expect(throws: SessionStoreError.self) { try await session.commitAsync() }
        fixture.parked.setDown(false)
    }

    @Test("takes changes of a child task during the commit, too")
    func changedMeanwhile() async throws {
        let fixture = try Fixture()
        let (id, session) = try fixture.visit()
        let commit = try await heldCommit(fixture, session)
        try session.set("m", 2)
        try increment("u", session)
        fixture.parked.release()
        _ = try await commit.value
        let values = try #require(try fixture.kept(id)?.values)
        #expect(values["n"] == .int(1) && values["m"] == .int(2) && values["u"] == .int(1))
        #expect(try session.get("u", as: Int.self) == 1 && session.get("n", as: Int.self) == 1)
    }

    @Test("that a child task ends during the commit stays ended")
    func destroyedMeanwhile() async throws {
        let fixture = try Fixture()
        let (id, session) = try fixture.visit()
        let commit = try await heldCommit(fixture, session)
        try session.destroy()
        fixture.parked.release()
        #expect(try await commit.value.isDeletion)
        #expect(try fixture.kept(id) == nil)
    }

    @Test("whose commit fails keeps its changes for the next try, and is closed by none")
    func failedCommit() async throws {
        let fixture = try Fixture()
        let (id, session) = try fixture.visit()
        try await failCommit(fixture, session)
        #expect(try await session.commitAsync().cachePolicy == .written)
        #expect(try fixture.value("n", of: id) == .int(1))
    }

    @Test("whose commit failed and is dropped changes nothing")
    func failedAndDropped() async throws {
        let fixture = try Fixture()
        let (id, session) = try fixture.visit()
        try await failCommit(fixture, session)
        #expect(session.discard().setCookie == nil)
        #expect(try fixture.value("n", of: id) == nil)
    }

    @Test("of a task that is cancelled is committed all the same")
    func cancelled() async throws {
        let fixture = try Fixture()
        let (id, session) = try fixture.visit()
        let commit = try await heldCommit(fixture, session)
        commit.cancel()
        fixture.parked.release()
        _ = try await commit.value
        #expect(try fixture.value("n", of: id) == .int(1))
    }

    @Test("is updated by many tasks of one request at once, and each counts")
    func updatesOfOneRequest() async throws {
        let fixture = try Fixture()
        let (id, session) = try fixture.visit()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { try await session.update("n", default: 0) { $0 += 1 } } }
            try await group.waitForAll()
        }
        #expect(try session.get("n", as: Int.self) == 50)
        #expect(try fixture.value("n", of: id) == .int(50))
    }

    @Test("shows what it is now when an outcome comes that is older")
    func lateOutcome() async throws {
        let fixture = try Fixture()
        let (id, session) = try fixture.visit()
        await session.prefetch()
        fixture.parked.holdOutcomes()
        let first = Task { try await session.update("n", default: 0) { $0 += 1 } }
        while fixture.parked.heldCount == 0 { await Task.yield() }
        try increment("n", session)
        fixture.parked.release()
        try await first.value
        #expect(try session.get("n", as: Int.self) == 2)
        #expect(try session.version == fixture.kept(id)?.version)
    }

    @Test("lets go of what a look-up held that nobody used", arguments: [false, true])
    func unusedLease(isDropped: Bool) async throws {
        let fixture = try Fixture()
        fixture.parked.grantLeases()
        let (_, session) = try fixture.visit()
        await session.prefetch()
        #expect(fixture.parked.leaseCount == 1)
        if isDropped { _ = session.discard() } else { _ = try await session.commitAsync() }
        #expect(fixture.parked.leaseCount == 0)
        withExtendedLifetime(session) {}
    }
}
