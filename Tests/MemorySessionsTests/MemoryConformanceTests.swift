import MemorySessions
import Sessions
import SessionsTesting
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
        fixture.remembersRotatedIDs = true
        return fixture
    }

    @Test("conforms", arguments: SessionProviderConformance.cases)
    func conforms(_ test: ConformanceCase) throws {
        try test.run(Self.fixture)
    }
}
