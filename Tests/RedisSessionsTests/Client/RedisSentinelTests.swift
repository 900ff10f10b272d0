import GalletaPlatform
import Logging
import RESP
import TestSupport
import Testing

@testable import RedisSessions

@Suite("Redis with sentinels", .serialized, .blocking)
struct RedisSentinelTests {
    private func client(
        _ sentinels: RedisSentinels, _ change: (inout RedisSettings) -> Void = { _ in }
    ) throws -> RedisClient {
        let addresses = sentinels.ports.map { RedisAddress.tcp("127.0.0.1", UInt16($0)) }
        var settings = RedisSettings(
            RedisServers(.sentinel(primary: RedisSentinels.name), addresses))
        settings.totalTimeout = .milliseconds(1_000)
        settings.connectTimeout = .milliseconds(500)
        change(&settings)
        return try RedisClient(settings: settings)
    }

    @Test("after a crash the new primary is used, and the old one that is back as a primary never again")
    func crash() throws {
        let sentinels = try RedisSentinels()
        let client = try client(sentinels)
        try client.set("a", "1")
        let old = try sentinels.killPrimary()
        let time = elapsed {
            #expect(eventually(within: 20) { (try? client.set("a", "2")) != nil })
        }
        #expect(time < .seconds(8), "\(time)")
        let new = try sentinels.primary(agreedBy: 2, otherThan: old)
        #expect(try new.cli("GET", "a") == "2")
        try old.restart(keepingData: false)
        for number in 0..<200 { _ = try client.set("back", "\(number)") }
        // New connections as well.
        let other = try self.client(sentinels)
        for number in 0..<20 { _ = try other.set("other", "\(number)") }
        #expect(try new.cli("GET", "back") == "199" && new.cli("GET", "other") == "19")
    }

    @Test("a switch while both run: connections that still work are dropped, also to a server that would take writes")
    func switched() throws {
        let sentinels = try RedisSentinels()
        let client = try client(sentinels)
        try client.set("a", "1")
        let old = try sentinels.primary()
        let new = try sentinels.failOver()
        #expect(try eventually { try (try? client.set("a", "2")) != nil && new.cli("GET", "a") == "2" })
        // As if it had not noticed: it takes writes, and whoever is connected to it would write there.
        try old.cli("REPLICAOF", "NO", "ONE")
        for number in 0..<50 { _ = try client.set("n", "\(number)") }
        #expect(try new.cli("GET", "n") == "49")
    }

    @Test("a primary that was stopped and replaced, and takes writes when it goes on, gets none")
    func stopped() throws {
        let sentinels = try RedisSentinels()
        let client = try client(sentinels) { $0.totalTimeout = .milliseconds(250) }
        // Several connections, all of them idle when it goes on.
        let threads = try (0..<4).map { number in
            try SystemThread(name: "call") { for _ in 0..<50 { _ = try? client.set("a", "\(number)") } }
        }
        for thread in threads { #expect(thread.join(timeout: .seconds(20))) }
        let old = try sentinels.primary()
        old.pause()
        let new = try sentinels.primary(agreedBy: 3, otherThan: old)
        #expect(eventually(within: 10) { (try? client.set("a", "new")) != nil })
        old.resume()
        for number in 0..<200 { _ = try client.set("n", "\(number)") }
        #expect(try new.cli("GET", "n") == "199")
    }

    @Test("callers without a call see the primary replaced within a second or so")
    func noticed() throws {
        let sentinels = try RedisSentinels()
        let log = CapturedLog()
        let client = try client(sentinels) { $0.logger = Logger(label: "test") { _ in log } }
        try client.set("a", "1")
        let new = try sentinels.failOver()
        #expect(eventually(within: 3) { log.text.contains("127.0.0.1:\(new.port!) now") })
        let before = client.statistics
        try client.set("a", "2")
        #expect(client.statistics.retries == before.retries)
    }

    @Test("sentinels are asked at each connection: a primary that was replaced and is back is not taken for one")
    func askedAtConnect() throws {
        let sentinels = try RedisSentinels()
        let client = try client(sentinels) { $0.primaryCheckInterval = .seconds(60) }
        try client.set("a", "1")
        let old = try sentinels.killPrimary()
        let new = try sentinels.primary(agreedBy: 3, otherThan: old)
        try old.restart(keepingData: false)
        try client.set("a", "2")
        #expect(try new.cli("GET", "a") == "2" && old.cli("GET", "a") == "")
    }

    @Test("a server that sentinels name and that takes itself for a replica is not even read from")
    func role() throws {
        let sentinels = try RedisSentinels()
        let primary = try sentinels.primary()
        let other = try #require(sentinels.servers.first { $0 !== primary })
        try primary.cli("REPLICAOF", "127.0.0.1", String(other.port!))
        let error = #expect(throws: RedisError.self) { try client(sentinels).get("a", within: .milliseconds(200)) }
        // Which of the two depends on where the deadline finds it.
        let isRefused = error?.code == .notNow || error?.code == .timeout
        #expect(isRefused && error?.isOutcomeUnknown == false, "\(error?.message ?? "")")
    }

    @Test("one sentinel that answers is enough, a stopped one among them costs its share of the time")
    func oneSentinel() throws {
        let sentinels = try RedisSentinels()
        sentinels.sentinels[0].kill()
        sentinels.sentinels[1].pause()
        defer { sentinels.sentinels[1].resume() }
        let client = try client(sentinels)
        #expect(try client.run(.ping) == .simple("PONG"))
    }

    @Test("a primary that nobody knows is a mistake in the configuration")
    func unknownName() throws {
        let sentinels = try RedisSentinels()
        let client = try client(sentinels) { $0.servers.topology = .sentinel(primary: "other") }
        let error = #expect(throws: RedisError.self) { try client.run(.ping) }
        #expect(error?.code == .configuration && error?.message.contains("other") == true)
    }

    @Test("passwords of the servers and of the sentinels")
    func passwords() throws {
        let sentinels = try RedisSentinels(password: "secret", sentinelLines: ["requirepass other"])
        let client = try client(sentinels) {
            $0.password = .text("secret")
            $0.sentinelPassword = .text("other")
        }
        #expect(try client.run(.ping) == .simple("PONG"))
        let wrong = try self.client(sentinels) { $0.password = .text("secret") }
        let error = #expect(throws: RedisError.self) { try wrong.run(.ping) }
        #expect(error?.code == .configuration)
    }
}
