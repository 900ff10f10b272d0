import GalletaPlatform
import TestSupport
import Testing

@testable import RedisSessions

@Suite("Calls while Redis fails")
struct RedisBreakerTests {
    private let failure = RedisError(.timeout, "no reply in time")

    private func at(_ milliseconds: Int) -> BootInstant {
        BootInstant(nanoseconds: 1_000_000 * Int64(milliseconds))
    }

    private func admitted(_ breaker: inout RedisBreaker, at milliseconds: Int) -> RedisBreaker.Ticket? {
        if case .admitted(let ticket) = breaker.admit(at: at(milliseconds)) { ticket } else { nil }
    }

    /// One that has just opened, at 0 ms, with a pause of 100 ms.
    private func opened(longestPause: Duration = .seconds(5)) throws -> RedisBreaker {
        var breaker = RedisBreaker(longestPause: longestPause)
        var changes: [RedisBreaker.Change?] = []
        for _ in 0..<RedisBreaker.failureLimit {
            let ticket = try #require(admitted(&breaker, at: 0))
            changes.append(breaker.failed(ticket, failure, at: at(0), jitter: 0))
        }
        #expect(changes == [nil, nil, nil, nil, .opened])
        return breaker
    }

    @Test("after some failures in a row calls fail at once, with the last failure's code")
    func opens() throws {
        var breaker = try opened()
        guard case .refused(let error) = breaker.admit(at: at(99)) else { throw TestFailure(description: "admitted") }
        #expect(error.code == .timeout && !error.isOutcomeUnknown && !error.countsAgainstServer)
        #expect(error.message.contains("no reply in time"))
    }

    @Test("a success in between begins the count anew")
    func interrupted() throws {
        var breaker = RedisBreaker(longestPause: .seconds(5))
        for _ in 0..<3 {
            for _ in 0..<RedisBreaker.failureLimit - 1 {
                let ticket = try #require(admitted(&breaker, at: 0))
                #expect(breaker.failed(ticket, failure, at: at(0), jitter: 0) == nil)
            }
            let ticket = try #require(admitted(&breaker, at: 0))
            #expect(breaker.succeeded(ticket) == nil)
        }
    }

    @Test("failures that are far apart are no outage")
    func rare() throws {
        var breaker = RedisBreaker(longestPause: .seconds(5))
        for number in 0..<50 {
            let ticket = try #require(admitted(&breaker, at: number * 3_000))
            #expect(breaker.failed(ticket, failure, at: at(number * 3_000), jitter: 0) == nil)
        }
    }

    @Test("after the pause one call is tried, and no other before it has ended")
    func probe() throws {
        var breaker = try opened()
        let probe = try #require(admitted(&breaker, at: 100))
        #expect(admitted(&breaker, at: 100) == nil && admitted(&breaker, at: 100_000) == nil)
        #expect(breaker.succeeded(probe) == .closed)
        #expect(admitted(&breaker, at: 101) != nil && admitted(&breaker, at: 101) != nil)
    }

    @Test("pauses double up to the longest, shortened by chance by a quarter at most")
    func pauses() throws {
        for jitter in [0.0, 0.5, 1] {
            var breaker = try opened(longestPause: .milliseconds(700))
            var now = 100
            var pauses: [Int] = []
            for _ in 0..<6 {
                let ticket = try #require(admitted(&breaker, at: now))
                #expect(breaker.failed(ticket, failure, at: at(now), jitter: jitter) == nil)
                // A copy looks, so that looking is no probe.
                let pause = (0...).first { pause in
                    var copy = breaker
                    return admitted(&copy, at: now + pause) != nil
                }!
                pauses.append(pause)
                now += pause
            }
            let expected = [200, 400, 700, 700, 700, 700].map { Double($0) * (1 - jitter / 4) }
            #expect(zip(pauses, expected).allSatisfy { abs(Double($0) - $1) <= 1 }, "\(pauses)")
        }
    }

    @Test("results of calls from before it opened change nothing")
    func late() throws {
        var breaker = RedisBreaker(longestPause: .seconds(5))
        let old = try #require(admitted(&breaker, at: 0))
        for _ in 0..<RedisBreaker.failureLimit {
            let ticket = try #require(admitted(&breaker, at: 0))
            _ = breaker.failed(ticket, failure, at: at(0), jitter: 0)
        }
        #expect(breaker.failed(old, failure, at: at(50), jitter: 0) == nil)
        #expect(breaker.succeeded(old) == nil)
        #expect(admitted(&breaker, at: 99) == nil)
        let probe = try #require(admitted(&breaker, at: 100))
        #expect(breaker.failed(old, failure, at: at(100), jitter: 0) == nil)
        #expect(breaker.succeeded(probe) == .closed)
    }

    @Test("a probe that says nothing about the server leaves its place to another")
    func silent() throws {
        var breaker = try opened()
        let probe = try #require(admitted(&breaker, at: 100))
        var busy = failure
        busy.countsAgainstServer = false
        #expect(breaker.failed(probe, busy, at: at(100), jitter: 0) == nil)
        #expect(admitted(&breaker, at: 100) != nil)
    }
}
