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

    init() throws {
        // Uncompressed, so that an id in a dump would be seen.
        server = try RedisServer(["rdbcompression no"])
    }

    /// What the cases take for a second: the server's clock cannot be moved. Under a sanitizer it is one, as all takes longer.
    static let second = Duration.milliseconds(FaultTime.isSanitized ? 1_000 : 300)

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

    func fixture(_ adjust: (inout RedisProvider.Configuration) -> Void = { _ in }) throws -> ConformanceFixture {
        let configuration = configuration(adjust)
        let provider = try RedisProvider(configuration: configuration)
        var fixture = ConformanceFixture(provider: provider, second: Self.second) { time in
            let (seconds, attoseconds) = time.components
            usleep(UInt32(seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
        }
        fixture.another = { try RedisProvider(configuration: configuration) }
        fixture.reopen = { try RedisProvider(configuration: configuration) }
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
    private static let shared = Result { try RedisFixtures() }

    /// Runs a case on a thread of its own: most of its time it waits for a deadline to come.
    private func run(
        _ test: ConformanceCase, _ adjust: @escaping @Sendable (inout RedisProvider.Configuration) -> Void = { _ in }
    ) async throws -> ConformanceCase.Outcome {
        try await CaseThreads.shared.run {
            guard test.name.contains("is down") else {
                let fixtures = try Self.shared.get()
                return try test.run { _ in try fixtures.fixture(adjust) }
            }
            // It stops its server.
            let fixtures = try RedisFixtures()
            return try test.run { _ in
                try fixtures.fixture {
                    adjust(&$0)
                    $0.timeout = .milliseconds(250)
                }
            }
        }
    }

    /// What a store that expires records by itself need not have, and what no cap of its own can be.
    static let lacking = [
        "expired records that are there until they are collected (CollectingProvider)", "a cap of sessions (keepsCap)",
        "a clock that stands still between advances", "a count of sessions (statistics)",
    ]

    @Test("conforms", arguments: SessionProviderConformance.cases)
    func conforms(_ test: ConformanceCase) async throws {
        switch try await run(test) {
        case .passed: break
        case .skipped(let reason): #expect(Self.lacking.contains(reason), "\(test.name): \(reason)")
        }
    }

    /// Under a sanitizer a million decryptions take longer than their session lives.
    static let encryptable = SessionProviderConformance.cases.filter {
        !FaultTime.isSanitized || $0.name != "a thousand keys from 32 threads are all kept"
    }

    @Test("conforms with encrypted values", arguments: encryptable)
    func conformsEncrypted(_ test: ConformanceCase) async throws {
        switch try await run(test, { $0.encryptsValues = true }) {
        case .passed: break
        case .skipped(let reason):
            #expect(
                Self.lacking.contains(reason) || reason == "an application's values in lists (traits.listsValues)",
                "\(test.name): \(reason)")
        }
    }
}

/// Threads for cases that wait: some at once, however few processors there are.
private actor CaseThreads {
    static let shared = CaseThreads()

    private var free = 12
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        if free == 0 {
            await withCheckedContinuation { waiting.append($0) }
        } else {
            free -= 1
        }
        defer {
            if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
        }
        return try await withCheckedThrowingContinuation { continuation in
            do {
                _ = try SystemThread(name: "case") { continuation.resume(with: Swift.Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
