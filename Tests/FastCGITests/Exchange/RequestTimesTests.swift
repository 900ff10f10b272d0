import GalletaPlatform
import TestSupport
import Testing

@testable import FastCGI

@Suite("The times of a request")
struct RequestTimesTests {
    private func at(_ milliseconds: Int64) -> BootInstant { BootInstant(nanoseconds: milliseconds * 1_000_000) }

    private func check(
        _ parts: RequestTimes.Parts, _ expected: [Int64], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = [parts.wait, parts.body, parts.handler, parts.store, parts.send, parts.total].map { $0 / 1_000_000 }
        #expect(found == expected, sourceLocation: sourceLocation)
        #expect(parts.wait + parts.body + parts.handler + parts.store + parts.send == parts.total)
    }

    @Test("are told apart, and add up")
    func whole() {
        var times = RequestTimes()
        times.waitedBefore = 7_000_000
        times.begunAt = at(110)
        times.waitedWithin = 5_000_000
        times.handledAt = at(150)
        check(times.parts(from: at(100), to: at(153)), [12, 10, 35, 0, 3, 60])
    }

    @Test("of a request that was cut are those of where it was")
    func cut() {
        var times = RequestTimes()
        // In the middle of its body.
        check(times.parts(from: at(100), to: at(120)), [0, 20, 0, 0, 0, 20])
        // In its handler.
        times.begunAt = at(105)
        check(times.parts(from: at(100), to: at(120)), [0, 5, 15, 0, 0, 20])
    }

    @Test("of a store are no longer than the answer took, and count while it has not answered")
    func store() throws {
        var times = RequestTimes()
        let begun = times.store.start()
        #expect(eventually { times.store.nanoseconds > 0 })
        times.begunAt = begun
        let parts = times.parts(from: begun, to: .now)
        #expect(parts.store > 0 && parts.store <= parts.total)
        times.store.stop(begun)
        let sum = times.store.nanoseconds
        #expect(sum > 0 && times.store.nanoseconds == sum)
        times.handledAt = begun
        check(times.parts(from: begun, to: begun), [0, 0, 0, 0, 0, 0])
    }
}
