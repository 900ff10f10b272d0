import GalletaPlatform
import RESP
import TestSupport
import Testing

@testable import RedisSessions

@Suite("Any trouble in any order", .serialized, .blocking)
struct RedisChaosTests {
    @Test("no call gets another one's reply, none is counted twice, and none lasts beyond its deadline")
    func chaos() throws {
        let server = try RedisServer()
        let proxy = try RedisProxy(to: server)
        let client = try RedisClient(proxy.socket) {
            $0.totalTimeout = .milliseconds(60)
            $0.connectTimeout = .milliseconds(40)
            $0.maximumConnections = 3
            $0.maximumPause = .milliseconds(100)
        }
        struct Tally {
            var mistakes = 0
            var done = 0
            var unknown = 0
            var longest = Duration.zero
        }
        let tally = Locked(Tally())
        let isOver = Locked(false)
        let threads = try (0..<4).map { number in
            try SystemThread(name: "chaos") {
                var round = 0
                while !isOver.withLock({ $0 }) {
                    round += 1
                    let text = "\(number)-\(round)"
                    let start = BootInstant.now
                    do throws(RedisError) {
                        let replies = try client.run([
                            RedisCommand("ECHO", [.text(text)], isRepeatable: true), .increment("n"),
                        ])
                        tally.withLock {
                            if replies[0].text != text { $0.mistakes += 1 }
                            $0.done += 1
                        }
                    } catch {
                        if error.isOutcomeUnknown { tally.withLock { $0.unknown += 1 } }
                        Pause.milliseconds(1)
                    }
                    let time = start.duration(to: .now)
                    tally.withLock { $0.longest = max($0.longest, time) }
                }
            }
        }
        var generator = SystemRandomNumberGenerator()
        let modes: [RedisProxy.Mode] = [
            .forward, .forward, .drip(every: .milliseconds(1)), .delay(.milliseconds(50)), .cut(afterReplyBytes: 0),
            .cut(afterReplyBytes: 7), .cut(afterReplyBytes: 100), .hold, .holdReplies,
        ]
        for _ in 0..<80 {
            proxy.mode = modes.randomElement(using: &generator)!
            if Int.random(in: 0..<4, using: &generator) == 0 { proxy.closeAll() }
            Pause.milliseconds(Int32.random(in: 5...60, using: &generator))
        }
        proxy.mode = .forward
        #expect(eventually(within: 2) { (try? client.run(.ping)) != nil })
        isOver.withLock { $0 = true }
        for thread in threads { #expect(thread.join(timeout: .seconds(20))) }
        let result = tally.withLock { $0 }
        let counted = try #require(Int(server.cli("GET", "n")))
        #expect(result.mistakes == 0 && result.done > 0)
        #expect(counted >= result.done && counted <= result.done + result.unknown, "\(counted), \(result)")
        // Other tests may keep the processors busy for a while.
        #expect(result.longest < .seconds(2), "\(result.longest)")
        client.close()
        #expect(eventually { proxy.openConnections == 0 })
    }
}
