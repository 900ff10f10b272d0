import Foundation
import GalletaPlatform
import RedisSessions
import Sessions
import SessionsTesting
import TestSupport
import Testing

/// Makes providers for the conformance suite over one real server, each with a name of its own.
struct RedisFixtures: Sendable {
    let server: RedisServer

    /// - Parameter hasMovableClock: Whether ``fixture(_:)`` works.
    init(hasMovableClock: Bool = false) throws {
        // Uncompressed, so that an id in a dump would be seen.
        server = try RedisServer(["rdbcompression no"], hasMovableClock: hasMovableClock)
    }

    func configuration(
        _ adjust: (inout RedisProvider.Configuration) -> Void = { _ in }
    ) -> RedisProvider.Configuration {
        var configuration = RedisProvider.Configuration()
        configuration.url = "unix://\(server.socket)"
        configuration.name = "t\(UInt64.random(in: .min ... .max))"
        // Many cases at once on a small machine; the case about an outage has a time of its own.
        configuration.timeout = .seconds(10)
        configuration.connectTimeout = .seconds(2)
        adjust(&configuration)
        return configuration
    }

    func fixture(
        awaited: Bool = false, _ adjust: (inout RedisProvider.Configuration) -> Void = { _ in }
    ) throws -> ConformanceFixture {
        // Under the thread sanitizer 32 threads at once take their time.
        let configuration = configuration {
            $0.timeout = .seconds(60)
            adjust(&$0)
        }
        let make: @Sendable () throws -> any SessionProvider = {
            let provider = try RedisProvider(configuration: configuration)
            return awaited ? AwaitedProvider(provider) : provider
        }
        let provider = try make()
        // The server's clock goes on by itself, too: what a case does is to be quick beside what it takes for a second.
        var fixture = ConformanceFixture(provider: provider, second: .seconds(60)) { [server] in
            try server.advance(by: $0)
        }
        fixture.another = make
        fixture.reopen = make
        fixture.storedBytes = { [server] in
            _ = try server.cli("SAVE")
            let folder = try server.cli("CONFIG", "GET", "dir").split(separator: "\n").last.map(String.init) ?? ""
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/dump.rdb")))
        }
        fixture.outage = ConformanceFixture.Outage(
            stop: { [server] in server.pause() }, resume: { [server] in server.resume() })
        return fixture
    }
}

@Suite("The Redis provider")
struct RedisConformanceTests {
    private func run(
        _ test: ConformanceCase, _ adjust: @escaping @Sendable (inout RedisProvider.Configuration) -> Void = { _ in }
    ) async throws -> ConformanceCase.Outcome {
        try await ConformanceServers.shared.withServer { fixtures in
            try test.run { _ in
                try fixtures.fixture {
                    adjust(&$0)
                    if test.name.contains("is down") { $0.timeout = .milliseconds(250) }
                }
            }
        }
    }

    /// What a store that expires records by itself need not have, and what no cap of its own can be.
    static let lacking = [
        "expired records that are there until they are collected (CollectingProvider)", "a cap of sessions (keepsCap)",
        "a clock that stands still between advances", "a count of sessions (statistics)",
        "a count of sessions with a user (statistics)",
    ]

    @Test("conforms", arguments: SessionProviderConformance.cases)
    func conforms(_ test: ConformanceCase) async throws {
        switch try await run(test) {
        case .passed: break
        case .skipped(let reason): #expect(Self.lacking.contains(reason), "\(test.name): \(reason)")
        }
    }

    @Test("conforms by its awaited calls", arguments: SessionProviderConformance.cases)
    func conformsAwaited(_ test: ConformanceCase) async throws {
        let outcome = try await ConformanceServers.shared.withServer { fixtures in
            try test.run { _ in
                try fixtures.fixture(awaited: true) {
                    if test.name.contains("is down") { $0.timeout = .milliseconds(250) }
                }
            }
        }
        guard case .skipped(let reason) = outcome else { return }
        #expect(Self.lacking.contains(reason), "\(test.name): \(reason)")
    }

    @Test("conforms with encrypted values", arguments: SessionProviderConformance.cases)
    func conformsEncrypted(_ test: ConformanceCase) async throws {
        // A thousand times a thousand values to open take minutes there.
        guard !FaultTime.isSanitized || !test.name.contains("a thousand keys") else { return }
        switch try await run(test, { $0.encryptsValues = true }) {
        case .passed: break
        case .skipped(let reason):
            #expect(
                Self.lacking.contains(reason) || reason == "an application's values in lists (traits.listsValues)",
                "\(test.name): \(reason)")
        }
    }
}

/// Two servers for all cases, each for one case at a time: the clock that a case moves is the server's.
private actor ConformanceServers {
    static let shared = ConformanceServers()
    /// For the end of the tests: nothing that is static is ever let go of.
    private static let started = Locked<[pid_t]>([])

    private var idle: [RedisFixtures] = []
    private var missing = 2
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Runs `body` on a thread of its own, as it blocks.
    func withServer<Result: Sendable>(
        _ body: @escaping @Sendable (RedisFixtures) throws -> Result
    ) async throws -> Result {
        while idle.isEmpty, missing == 0 { await withCheckedContinuation { waiting.append($0) } }
        let fixtures = try idle.popLast() ?? start()
        defer {
            idle.append(fixtures)
            if !waiting.isEmpty { waiting.removeFirst().resume() }
        }
        return try await withCheckedThrowingContinuation { continuation in
            do {
                _ = try SystemThread(name: "case") { continuation.resume(with: Swift.Result { try body(fixtures) }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private func start() throws -> RedisFixtures {
        missing -= 1
        let fixtures = try RedisFixtures(hasMovableClock: true)
        let isFirst = Self.started.withLock { started in
            started.append(fixtures.server.pid)
            return started.count == 1
        }
        if isFirst {
            atexit { for pid in ConformanceServers.started.withLock({ $0 }) { kill(pid, SIGKILL) } }
        }
        return fixtures
    }
}
