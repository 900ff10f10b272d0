import GalletaPlatform
import RESP
import RedisSessions
import Sessions
import Synchronization
import TestSupport
import Testing

@testable import RedisSessions

@Suite("Calls to Redis that are awaited", .serialized, .blocking)
struct RedisLaneTests {
    private let fixtures: RedisFixtures
    private let provider: RedisProvider

    init() throws {
        fixtures = try RedisFixtures()
        provider = try RedisProvider(configuration: fixtures.configuration())
    }

    private func draft(_ values: [(SessionKey, SessionValue)] = [(SessionKey("k"), .int(1))]) throws -> SessionDraft {
        SessionDraft(
            values: try SessionValues(values), idleTimeout: .seconds(10_000), absoluteTimeout: .seconds(20_000))
    }

    private func create(_ provider: RedisProvider) throws -> SessionID {
        let id = SessionID.random()
        guard case .created = try provider.create(id, try draft()) else {
            throw TestFailure(description: "not created")
        }
        return id
    }

    private func patch(_ value: SessionValue) throws -> SessionPatch {
        var patch = SessionPatch()
        try patch.set(value, for: SessionKey("k"))
        return patch
    }

    private func lookUp(_ id: SessionID, _ provider: RedisProvider) -> Awaited<SessionFinding> {
        start { try await provider.lookUpAsync(SessionIDCandidates(id))[0] }
    }

    private func value(_ finding: SessionFinding) -> SessionValue? {
        guard case .found(let record) = finding else { return nil }
        return record.values[SessionKey("k")]
    }

    @Test("of what comes together a round trip takes up to 64 commands, and each gets its own reply")
    func together() throws {
        let ids = try (0..<200).map { number in
            let id = SessionID.random()
            _ = try provider.create(id, try draft([(SessionKey("k"), .int(Int64(number)))]))
            return id
        }
        _ = try lookUp(ids[0], provider).value()
        // All are queued while the two threads wait for the server.
        fixtures.server.pause()
        let held = (0..<2).map { _ in lookUp(ids[0], provider) }
        let before = provider.clientStatistics.roundTrips
        let findings = ids.map { lookUp($0, provider) }
        fixtures.server.resume()
        for (number, finding) in findings.enumerated() { #expect(try value(finding.value()) == .int(Int64(number))) }
        for finding in held { _ = try finding.value() }
        let trips = provider.clientStatistics.roundTrips - before
        #expect(trips >= 4 && trips <= 40, "\(trips)")
        #expect(eventually { !provider.isBusy })
    }

    @Test("a key that is no session of ours fails its own call, and none that goes with it")
    func badKey() throws {
        let (bad, good) = (SessionID.random(), try create(provider))
        let key = provider.store.keys.session(bad.digest)
        try fixtures.server.cli("SET", String(decoding: key, as: UTF8.self), "no hash")
        let lane = provider.store.lane
        let commands = (0..<20).map { provider.store.lookUp($0 % 2 == 0 ? good.digest : bad.digest) }
        // The first holds the thread, the others go together behind it.
        fixtures.server.pause()
        let outcomes = commands.map { command in
            start { await lane.run([command], by: .now.advanced(by: .seconds(10))) }
        }
        fixtures.server.resume()
        for (number, outcome) in outcomes.enumerated() {
            switch try outcome.value().replies {
            case .success: #expect(number % 2 == 0)
            case .failure(let error): #expect(number % 2 == 1 && error.reply?.code == "WRONGTYPE", "\(error)")
            }
        }
        #expect(provider.clientStatistics.breakerOpenings == 0)
    }

    @Test("at Redis's memory limit new sessions find it full, and those that look go on")
    func memoryLimit() throws {
        let id = try create(provider)
        try fixtures.server.cli("CONFIG", "SET", "maxmemory", "1")
        let calls = (0..<10).map { number in
            (
                start { [provider] in try await provider.createAsync(.random(), draft()) },
                lookUp(id, provider)
            )
        }
        for (creation, finding) in calls {
            guard case .full = try creation.value() else {
                Issue.record("not full")
                continue
            }
            #expect(try value(finding.value()) == .int(1))
        }
        try fixtures.server.cli("CONFIG", "SET", "maxmemory", "0")
        guard case .created = try blocking({ [provider] in try await provider.createAsync(.random(), draft()) }) else {
            Issue.record("not created")
            return
        }
    }

    @Test("a server that has lost its scripts gets those that are missing, and changes nothing twice")
    func missingScripts() throws {
        let id = try create(provider)
        for _ in 0..<20 {
            try fixtures.server.cli("SCRIPT", "FLUSH")
            let before = try #require(try provider.read(id))
            try fixtures.server.cli("SCRIPT", "FLUSH")
            fixtures.server.pause()
            let calls = (0..<10).map { number in
                (
                    start { [provider] in
                        try await provider.commitAsync(
                            patch(.int(Int64(number))), to: SessionHandle(id), expecting: before.version)
                    }, lookUp(id, provider)
                )
            }
            fixtures.server.resume()
            var committed = 0
            for (commit, finding) in calls {
                if case .committed = try commit.value() { committed += 1 }
                #expect(try value(finding.value()) != nil)
            }
            #expect(committed == 1)
            #expect(try provider.read(id)?.version == before.version + 1)
        }
    }

    @Test("of many that a held-up server holds up each gets its error")
    func heldUp() throws {
        let provider = try RedisProvider(configuration: fixtures.configuration { $0.timeout = .milliseconds(300) })
        let id = try create(provider)
        _ = try lookUp(id, provider).value()
        fixtures.server.pause()
        defer { fixtures.server.resume() }
        // More than go together, so that most wait in the queue.
        let calls = (0..<500).map { _ in lookUp(id, provider) }
        for call in calls {
            let error = #expect(throws: SessionStoreError.self) { try call.value() }
            #expect(error?.reason == .unavailable)
        }
        #expect(eventually { !provider.isBusy })
    }

    @Test("a call's time counts from when it is queued: one whose time is over there is never sent")
    func late() throws {
        let lane = provider.store.lane
        let before = provider.clientStatistics.calls
        let outcome = try blocking { await lane.run([.ping], by: .now.advanced(by: .milliseconds(-1))) }
        guard case .failure(let error) = outcome.replies else {
            Issue.record("sent")
            return
        }
        #expect(error.code == .timeout && !error.isOutcomeUnknown && provider.clientStatistics.calls == before)
    }

    @Test("a connection that stalls holds up what was sent on it, and no more")
    func stalledConnection() throws {
        let id = try create(provider)
        _ = try lookUp(id, provider).value()
        // The server goes on; the connection waits for somebody who pushes.
        let lane = provider.store.lane
        let stalled = start {
            await lane.run(
                [RedisCommand("BLPOP", ["list", 0], isRepeatable: true)], by: .now.advanced(by: .seconds(60)))
        }
        #expect(eventually { fixtures.blockedClients == 1 })
        let calls = (0..<50).map { _ in lookUp(id, provider) }
        for call in calls { #expect(try value(call.value()) == .int(1)) }
        #expect(!stalled.isThere)
        try fixtures.server.cli("RPUSH", "list", "x")
        #expect(try stalled.value().replies.get().count == 1)
    }

    @Test("a server that is slow for a moment fails nobody, though no new connection is made in its time")
    func slowForAMoment() throws {
        let provider = try RedisProvider(
            configuration: fixtures.configuration { $0.connectTimeout = .milliseconds(100) })
        let id = try create(provider)
        _ = try lookUp(id, provider).value()
        fixtures.server.pause()
        // The one connection there is, and then a new one for those behind it.
        let before = provider.clientStatistics
        let first = lookUp(id, provider)
        #expect(eventually { provider.clientStatistics.roundTrips > before.roundTrips })
        let others = (0..<50).map { _ in lookUp(id, provider) }
        #expect(eventually { provider.clientStatistics.timeouts > before.timeouts })
        fixtures.server.resume()
        for call in [first] + others { #expect(try value(call.value()) == .int(1)) }
    }

    @Test("the close resumes what waits, with an error, and what comes later")
    func close() throws {
        let id = try create(provider)
        _ = try lookUp(id, provider).value()
        fixtures.server.pause()
        // Two round trips are on their way, and end by themselves; the others are queued.
        let calls = (0..<300).map { _ in lookUp(id, provider) }
        #expect(eventually { provider.store.underWay.load(ordering: .relaxed) == calls.count })
        provider.close()
        #expect(eventually { calls.count { $0.isThere } >= calls.count - 128 })
        fixtures.server.resume()
        var failed = 0
        for call in calls { do { _ = try call.value() } catch { failed += 1 } }
        #expect(failed >= calls.count - 128)
        #expect(throws: SessionStoreError.self) { try lookUp(id, provider).value() }
    }

    @Test("a task that is cancelled carries its call to the end")
    func cancelled() throws {
        let id = try create(provider)
        let outcome = Awaited<SessionCommitOutcome>()
        let task = Task.detached { [provider] in
            while !Task.isCancelled { await Task.yield() }
            do {
                outcome.set(
                    .success(try await provider.commitAsync(patch(.int(2)), to: SessionHandle(id), expecting: nil)))
            } catch {
                outcome.set(.failure(error))
            }
        }
        task.cancel()
        guard case .committed(1, _, _) = try outcome.value() else {
            Issue.record("not committed")
            return
        }
        #expect(try provider.read(id)?.values[SessionKey("k")] == .int(2))
    }

    @Test("is busy while a call of either kind is under way, and not afterwards")
    func busy() throws {
        let id = try create(provider)
        #expect(!provider.isBusy)
        fixtures.server.pause()
        let awaited = lookUp(id, provider)
        #expect(eventually { provider.isBusy })
        fixtures.server.resume()
        _ = try awaited.value()
        #expect(eventually { !provider.isBusy })
        fixtures.server.pause()
        let thread = try SystemThread(name: "sync") { [provider] in _ = try? provider.read(id) }
        #expect(eventually { provider.isBusy })
        fixtures.server.resume()
        #expect(thread.join(timeout: .seconds(20)))
        #expect(!provider.isBusy)
    }

    @Test("increments of many tasks and threads at once are all there")
    func increments() throws {
        let id = try create(provider)
        let manager = try SessionManager(provider: provider)
        let tasks = (0..<16).map { _ in
            start {
                for _ in 0..<25 {
                    let session = manager.open(SessionIDCandidates(id), isSecure: false)
                    await session.prefetch()
                    _ = try await session.update("n", default: 0) { $0 += 1 }
                    _ = try await session.commitAsync()
                }
            }
        }
        let threads = try (0..<4).map { _ in
            try SystemThread(name: "visitor") {
                for _ in 0..<25 {
                    let session = manager.open(SessionIDCandidates(id), isSecure: false)
                    _ = try? session.update("n", default: 0) { $0 += 1 }
                    _ = try? session.commit()
                }
            }
        }
        for task in tasks { try task.value() }
        for thread in threads { #expect(thread.join(timeout: .seconds(60))) }
        #expect(try provider.read(id)?.values[SessionKey("n")] == .int(500))
    }
}

extension RedisFixtures {
    fileprivate var blockedClients: Int { (try? server.info("blocked_clients")).flatMap { Int($0) } ?? 0 }
}
