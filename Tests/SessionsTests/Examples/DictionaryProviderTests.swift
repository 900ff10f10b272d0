import Sessions
import SessionsTesting
import Testing

@testable import ProviderProgram  // the executable target of the program above

@Suite("The dictionary provider")
struct DictionaryProviderTests {
    @Test("conforms", arguments: SessionProviderConformance.cases)
    func conforms(_ test: ConformanceCase) throws {
        let outcome = try test.run { _ in
            let time = ManualSessionClock()
            return ConformanceFixture(provider: DictionaryProvider(now: { time.now }), time: time)
        }
        // A case that is skipped has shown nothing: look through these once.
        if case .skipped(let reason) = outcome { print("skipped: \(test.name): it needs \(reason)") }
    }
}
