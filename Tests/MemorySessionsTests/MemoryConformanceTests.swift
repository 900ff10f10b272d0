import Foundation
import MemorySessions
import Sessions
import SessionsTesting
import TestSupport
import Testing

@Suite("The memory provider")
struct MemoryConformanceTests {
    /// A provider that the suite can do everything to that a memory store has.
    static func fixture(maximumSessions: Int?) throws -> ConformanceFixture {
        let time = ManualSessionClock()
        var configuration = MemoryProvider.Configuration()
        configuration.clock = time.clock
        configuration.collectsInBackground = false
        configuration.maximumSessions = maximumSessions ?? 200_000
        var fixture = ConformanceFixture(provider: try MemoryProvider(configuration: configuration), time: time)
        fixture.keepsCap = true
        return fixture
    }

    @Test("conforms", arguments: SessionProviderConformance.cases)
    func conforms(_ test: ConformanceCase) throws {
        let outcome = try test.run(Self.fixture)
        // Of what the suite can do to a store, memory alone lacks these.
        let isLacking: Bool = ["a second provider", "outlives its provider", "the bytes", "be stopped"].contains {
            "\(outcome)".contains($0)
        }
        #expect(outcome == .passed || isLacking)
    }

    @Test("conforms with a journal", arguments: SessionProviderConformance.cases)
    func journaled(_ test: ConformanceCase) throws {
        let folder = try TemporaryFolder()
        let outcome = try test.run { maximumSessions in
            let time = ManualSessionClock()
            var configuration = MemoryProvider.Configuration()
            configuration.clock = time.clock
            configuration.collectsInBackground = false
            configuration.maximumSessions = maximumSessions ?? 200_000
            configuration.state = MemoryProvider.StateFile(path: folder.file(UUID().uuidString))
            var fixture = ConformanceFixture(provider: try MemoryProvider(configuration: configuration), time: time)
            fixture.keepsCap = true
            return fixture
        }
        let isLacking: Bool = ["a second provider", "outlives its provider", "the bytes", "be stopped"].contains {
            "\(outcome)".contains($0)
        }
        #expect(outcome == .passed || isLacking)
    }

    @Test(
        "conforms with a state file, over a restart",
        arguments: SessionProviderConformance.cases.filter(\.isAboutStores))
    func outlives(_ test: ConformanceCase) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("state")
        let time = ManualSessionClock()
        var configuration = MemoryProvider.Configuration()
        configuration.clock = time.clock
        configuration.collectsInBackground = false
        configuration.state = MemoryProvider.StateFile(path: path)
        let outcome = try test.run { [configuration] _ in
            let provider = try MemoryProvider(configuration: configuration)
            var fixture = ConformanceFixture(provider: provider, time: time)
            fixture.reopen = { try MemoryProvider(configuration: configuration) }
            fixture.storedBytes = {
                provider.close()
                return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            }
            return fixture
        }
        #expect(outcome == .passed)
    }
}

extension ConformanceCase {
    /// The cases about a store that outlives its provider.
    fileprivate var isAboutStores: Bool {
        [
            "a store that is opened again has the live sessions and not the expired",
            "the store holds no id as it stands",
        ]
        .contains(name)
    }
}
