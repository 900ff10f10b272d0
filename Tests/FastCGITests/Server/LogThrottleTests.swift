import GalletaPlatform
import Testing

@Suite("Throttled log lines")
struct LogThrottleTests {
    @Test("one line a kind and minute passes, and says how many did not")
    func throttle() {
        let throttle = LogThrottle()
        let start = BootInstant.now
        #expect(throttle.pass("a", at: start) == 0)
        #expect(throttle.pass("b", at: start) == 0)
        for second in 1..<60 { #expect(throttle.pass("a", at: start.advanced(by: .seconds(second))) == nil) }
        #expect(throttle.pass("a", at: start.advanced(by: .seconds(60))) == 59)
        #expect(throttle.pass("a", at: start.advanced(by: .seconds(61))) == nil)
    }
}
