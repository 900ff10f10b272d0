import CPlatform
import GalletaPlatform
import Glibc
import Logging
import RESP
import TestSupport
import Testing

@testable import RedisSessions

@Suite("Redis away and back", .serialized, .blocking)
struct RedisOutageTests {
    @Test("a stopped server holds a few calls, then none; and all is well within a second or so after it is back")
    func stopped() throws {
        let server = try RedisServer()
        let log = CapturedLog()
        let client = try RedisClient(server.socket) {
            $0.totalTimeout = .milliseconds(100)
            $0.logger = Logger(label: "test") { _ in log }
        }
        _ = try client.run(.ping)
        server.pause()
        for _ in 0..<RedisBreaker.failureLimit { #expect(throws: RedisError.self) { try client.run(.ping) } }
        let before = client.statistics.connects
        let start = BootInstant.now
        for _ in 0..<1_000 {
            let error = #expect(throws: RedisError.self) { try client.run(.ping) }
            #expect(error?.code == .timeout && error?.isOutcomeUnknown == false)
        }
        // Some probes are among them: after a tenth of a second, and then at pauses that grow to one.
        let probes = client.statistics.connects - before
        #expect(Double(probes) <= 5 + start.duration(to: .now) / .milliseconds(750), "\(probes)")
        #expect(client.statistics.breakerOpenings == 1)
        server.resume()
        #expect(eventually(within: 1.5) { (try? client.run(.ping)) != nil })
        for _ in 0..<100 { _ = try client.run(.ping) }
        #expect(log.lines.count { $0.hasPrefix("error") } == 1 && log.lines.count { $0.hasPrefix("notice") } == 1)
    }

    @Test("restarts under load: errors only while it is away, and no connection more than needed")
    func restarts() throws {
        // Without an fsync that a busy disk could hold up: while one is under way Redis puts off its writes, and a kill loses them.
        let server = try RedisServer(["appendonly yes", "appendfsync no"])
        let client = try RedisClient(server.socket) {
            $0.totalTimeout = .milliseconds(250)
            $0.maximumConnections = 4
        }
        _ = try client.run(.ping)
        // What each call has met, and when it began.
        let results = Locked<[(start: BootInstant, error: RedisError?)]>([])
        let isOver = Locked(false)
        let threads = try (0..<8).map { _ in
            try SystemThread(name: "load") {
                while !isOver.withLock({ $0 }) {
                    let start = BootInstant.now
                    var failure: RedisError?
                    do throws(RedisError) { _ = try client.run(.increment("n")) } catch { failure = error }
                    let error = failure
                    results.withLock { $0.append((start, error)) }
                    if error != nil { Pause.milliseconds(1) }
                }
            }
        }
        var back: [BootInstant] = []
        for _ in 0..<2 {
            Pause.milliseconds(100)
            server.kill()
            try server.restart()
            #expect(eventually(within: 2) { (try? client.run(.ping)) != nil })
            back.append(.now)
            Pause.milliseconds(300)
        }
        isOver.withLock { $0 = true }
        for thread in threads { #expect(thread.join(timeout: .seconds(20))) }
        let all = results.withLock { $0 }
        let late = all.filter { call in
            call.error != nil
                && back.contains { call.start > $0 && $0.duration(to: call.start) < .milliseconds(300) }
        }
        #expect(late.isEmpty, "\(late.count) of \(all.count): \(late.first?.error?.message ?? "")")
        let done = try #require(Int(server.cli("GET", "n")))
        let certain = all.count { $0.error == nil }
        let unknown = all.count { $0.error?.isOutcomeUnknown == true }
        #expect(certain <= done && done <= certain + unknown, "\(certain) <= \(done) <= \(certain) + \(unknown)")
        #expect(try eventually { Int(try server.info("connected_clients") ?? "") ?? 99 <= 5 })
    }

    @Test("of several servers the next is asked when one does not answer", arguments: [true, false])
    func seeds(isStopped: Bool) throws {
        let servers = try [RedisServer(), RedisServer()]
        var settings = RedisSettings(RedisServers(.single, servers.map { .unix($0.socket) }))
        settings.totalTimeout = .milliseconds(500)
        let client = try RedisClient(settings: settings)
        _ = try client.run(.ping)
        if isStopped { servers[0].pause() } else { servers[0].kill() }
        defer { servers[0].resume() }
        #expect(eventually(within: 10) { (try? client.run(.ping)) != nil })
        #expect(try client.run(.increment("n")) == .integer(1))
        #expect(try servers[1].cli("GET", "n") == "1")
    }

    @Test("many idle connections to a server that answers no more: they are not tried one after the other")
    func idle() throws {
        let servers = try [RedisServer(), RedisServer()]
        let client = try RedisClient(servers[0].socket) {
            $0.servers.addresses.append(.unix(servers[1].socket))
            $0.totalTimeout = .milliseconds(400)
            $0.connectTimeout = .milliseconds(100)
            $0.maximumConnections = 16
        }
        let threads = try (0..<16).map { _ in
            try SystemThread(name: "idle") {
                _ = try? client.run(RedisCommand("BLPOP", ["list", 20], isRepeatable: false), within: .seconds(20))
            }
        }
        #expect(try eventually { try servers[0].info("blocked_clients") == "16" })
        try servers[0].cli(["RPUSH", "list"] + (0..<16).map { "\($0)" })
        for thread in threads { #expect(thread.join(timeout: .seconds(20))) }
        #expect(client.statistics.connects == 16)
        servers[0].pause()
        defer { servers[0].resume() }
        #expect(eventually(within: 10) { (try? client.run(.ping)) != nil })
        #expect(client.statistics.timeouts <= RedisBreaker.failureLimit + 1)
    }

    @Test("a unix socket whose backlog is full takes a connection once there is room")
    func backlog() throws {
        let server = try RedisServer(["tcp-backlog 1"])
        server.pause()
        var waiting: [Int32] = []
        defer { for fd in waiting { close(fd) } }
        while true {
            let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            waiting.append(socket(AF_UNIX, type, 0))
            if cplatform_connect_unix(waiting.last!, server.socket) != 0 { break }
        }
        let client = try RedisClient(server.socket)
        let reply = Locked<RESPValue?>(nil)
        let caller = try SystemThread(name: "caller") {
            let pong = try? client.run(.ping)
            reply.withLock { $0 = pong }
        }
        #expect(!caller.join(timeout: .milliseconds(50)))
        server.resume()
        #expect(caller.join(timeout: .seconds(20)) && reply.withLock { $0 } == .simple("PONG"))
    }

    @Test("a server that takes no writes: another one is looked for, and where there is none it is said at once")
    func readOnly() throws {
        let primary = try RedisServer(hasPort: true)
        let replica = try RedisServer(["replicaof 127.0.0.1 \(primary.port!)"])
        #expect(try eventually { try replica.info("master_link_status") == "up" })
        let alone = try RedisClient(replica.socket)
        let time = elapsed {
            let error = #expect(throws: RedisError.self) { try alone.run(.increment("n")) }
            #expect(error?.code == .notNow && error?.isOutcomeUnknown == false)
        }
        #expect(time < .seconds(1))
        // Reads go on, however many writes are refused.
        for _ in 0..<20 { #expect(throws: RedisError.self) { try alone.run(.increment("n")) } }
        #expect(try alone.get("n") == nil && alone.statistics.breakerOpenings == 0)
        let both = try RedisClient(replica.socket) { $0.servers.addresses.append(.unix(primary.socket)) }
        #expect(try both.run(.increment("n")) == .integer(1))
        #expect(try primary.cli("GET", "n") == "1")
    }

    @Test("a wrong password is tried a few times, then once a second")
    func wrongPassword() throws {
        let server = try RedisServer(["requirepass secret"])
        let client = try RedisClient(server.socket) { $0.password = .text("wrong") }
        let time = elapsed {
            for _ in 0..<1_000 {
                let error = #expect(throws: RedisError.self) { try client.run(.ping) }
                #expect(error?.code == .configuration)
            }
        }
        #expect(client.statistics.connects < 10 + Int(time / .seconds(1)), "\(client.statistics.connects)")
    }
}
