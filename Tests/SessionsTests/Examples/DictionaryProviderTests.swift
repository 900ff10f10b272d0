import Sessions
import SessionsTesting
import Testing

@testable import ProviderProgram

@Suite("The dictionary provider")
struct DictionaryProviderTests {
    @Test("conforms", arguments: SessionProviderConformance.cases)
    func conforms(_ test: ConformanceCase) throws {
        try test.run { _ in
            let time = ManualSessionClock()
            return ConformanceFixture(provider: DictionaryProvider(now: { time.now }), time: time)
        }
    }
}
