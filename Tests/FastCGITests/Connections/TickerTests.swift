import GalletaPlatform
import TestSupport
import Testing

@testable import FastCGI

@Suite("The workers' clock")
struct TickerTests {
    @Test("ends when it is told to, whether it ticks or sleeps", arguments: [false, true])
    func ends(sleeps: Bool) throws {
        let ticker = Ticker()
        let ticks = Locked(0)
        let thread = try SystemThread(name: "ticker") {
            ticker.run(
                isQuiet: { sleeps },
                tick: {
                    ticks.withLock { $0 += 1 }
                    return false
                })
        }
        // It goes to sleep after 50 that found nothing.
        #expect(eventually { ticks.withLock { $0 } >= (sleeps ? 50 : 1) })
        ticker.end()
        #expect(thread.join(timeout: .seconds(20)))
    }
}
