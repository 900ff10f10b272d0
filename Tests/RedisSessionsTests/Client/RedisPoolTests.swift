import GalletaPlatform
import RESP
import TestSupport
import Testing

@testable import RedisSessions

@Suite("The connections of a client", .blocking)
struct RedisPoolTests {
    @Test("no more than allowed, however many calls there are, and each gets its own replies")
    func limit() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket) { $0.maximumConnections = 3 }
        let mistakes = Locked(0)
        let threads = try (0..<12).map { number in
            try SystemThread(name: "call") {
                for round in 0..<200 {
                    let text = "\(number)-\(round)"
                    let reply = try? client.run(RedisCommand("ECHO", [.text(text)], isRepeatable: true))
                    if reply?.text != text { mistakes.withLock { $0 += 1 } }
                }
            }
        }
        for thread in threads { #expect(thread.join(timeout: .seconds(60))) }
        #expect(mistakes.withLock { $0 } == 0)
        #expect(client.statistics.connects <= 3 && client.statistics.calls == 2_400)
    }

    @Test("who finds all in use waits for one, but not past the deadline")
    func waiting() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket) { $0.maximumConnections = 1 }
        _ = try client.run(.ping)
        let holder = try SystemThread(name: "holder") {
            _ = try? client.run(RedisCommand("BLPOP", ["list", 10], isRepeatable: false), within: .seconds(10))
        }
        #expect(try eventually { try server.info("blocked_clients") == "1" })
        let time = shortest(upTo: .milliseconds(130)) {
            let error = #expect(throws: RedisError.self) { try client.run(.ping, within: .milliseconds(100)) }
            #expect(error?.code == .timeout && error?.isOutcomeUnknown == false)
        }
        #expect(time >= .milliseconds(100) && time < .milliseconds(130))
        let waiter = Locked(false)
        let second = try SystemThread(name: "waiter") {
            let reply = try? client.run(.ping)
            waiter.withLock { $0 = reply == .simple("PONG") }
        }
        try server.cli("RPUSH", "list", "x")
        #expect(holder.join(timeout: .seconds(10)) && second.join(timeout: .seconds(10)))
        #expect(waiter.withLock { $0 })
    }

    @Test("the connection used last is taken first; one that was idle for too long is not taken")
    func order() throws {
        let server = try RedisServer()
        let counters = RedisCounters()
        let settings = RedisSettings.test(server.socket)
        let connector = try RedisConnector(settings: settings, counters: counters)
        let address = settings.servers.addresses[0]
        let pool = RedisPool(address: address, limit: 2, idleTimeout: .seconds(60))
        let deadline = BootInstant.now.advanced(by: .seconds(20))
        var made: [RedisConnection] = []
        for _ in 0..<2 {
            guard case .room = try pool.take(by: deadline) else { throw TestFailure(description: "no room") }
            made.append(try connector.connect(to: address, for: .data, by: deadline))
        }
        for connection in made { pool.give(connection) }
        guard case .idle(let last) = try pool.take(by: deadline) else { throw TestFailure(description: "none") }
        #expect(last === made[1])
        pool.give(last)
        for connection in made { connection.idleSince = BootInstant(nanoseconds: 0) }
        guard case .room = try pool.take(by: deadline) else { throw TestFailure(description: "an old one") }
        #expect(!made[0].isOpen && !made[1].isOpen && pool.count == 1)
        pool.vacate()
        pool.close()
        guard case .closed = try pool.take(by: deadline) else { throw TestFailure(description: "open") }
    }
}
