import GalletaPlatform
import RESP
import TestSupport
import Testing

@testable import RedisSessions

@Suite("A call's deadline", .serialized, .blocking)
struct RedisDeadlineTests {
    private let server: RedisServer
    private let proxy: RedisProxy
    private let client: RedisClient
    /// What a busy machine may add.
    private let slack = Duration.milliseconds(FaultTime.isSanitized ? 250 : 20)

    init() throws {
        server = try RedisServer()
        proxy = try RedisProxy(to: server)
        client = try RedisClient(proxy.socket) {
            $0.totalTimeout = .milliseconds(250)
            $0.connectTimeout = .milliseconds(200)
        }
        try server.cli("SET", "a", "value of a")
        try server.cli("SET", "b", String(repeating: "b", count: 4_000))
        _ = try client.run(.ping, within: .seconds(5))
    }

    @Test(
        "a call ends in time, whatever the peer does, and the next one gets its own reply",
        arguments: [RedisProxy.Mode.hold, .holdReplies, .drip(every: .milliseconds(3)), .delay(.seconds(2))])
    func total(mode: RedisProxy.Mode) throws {
        let limit = Duration.milliseconds(250) + slack
        let time = try shortest(upTo: limit) {
            proxy.mode = .forward
            _ = try client.run(.ping, within: .seconds(5))
            proxy.mode = mode
            let start = BootInstant.now
            let error = #expect(throws: RedisError.self) { try client.get("b") }
            #expect(start.duration(to: .now) >= .milliseconds(250))
            #expect(error?.code == .timeout && error?.isOutcomeUnknown == true)
        }
        // A connection that works takes a millisecond of it.
        #expect(time < limit + .milliseconds(5), "\(time)")
        proxy.mode = .forward
        // The late reply is on its way now.
        #expect(try client.get("a", within: .seconds(5)) == "value of a")
        #expect(client.statistics.timeouts >= 1)
    }

    @Test("a stopped server takes connections and answers nothing: in time as well, and it has done nothing")
    func stopped() throws {
        let client = try RedisClient(server.socket) { $0.totalTimeout = .milliseconds(250) }
        server.pause()
        defer { server.resume() }
        let time = shortest(upTo: .milliseconds(250) + slack) {
            let error = #expect(throws: RedisError.self) { try client.run(.increment("a")) }
            #expect(error?.code == .timeout && error?.isOutcomeUnknown == false)
        }
        #expect(time < .milliseconds(250) + slack, "\(time)")
    }

    @Test("a reply cut off is no reply, and only what is repeatable is repeated", arguments: [0, 1, 3])
    func cut(bytes: Int) throws {
        proxy.mode = .cut(afterReplyBytes: bytes)
        let error = #expect(throws: RedisError.self) { try client.run(.increment("count"), within: .seconds(2)) }
        #expect(error?.code == .connection && error?.isOutcomeUnknown == true)
        proxy.mode = .forward
        #expect(try client.get("count", within: .seconds(5)) == "1")
    }

    @Test("a connection that was closed while it was idle costs nobody an error")
    func closedIdle() throws {
        proxy.closeAll()
        #expect(try client.run(.increment("count"), within: .seconds(5)) == .integer(1))
        #expect(client.statistics.retries == 0)
    }

    @Test("a restarted server costs nobody an error")
    func restarted() throws {
        let client = try RedisClient(server.socket)
        try client.set("a", "b")
        for number in 1...3 {
            try server.restart()
            #expect(try client.run(.increment("count")) == .integer(Int64(number)))
        }
    }
}
