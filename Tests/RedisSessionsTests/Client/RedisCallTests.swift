import RESP
import Testing

@testable import RedisSessions

@Suite("What follows from a reply")
struct RedisCallTests {
    private let server = RedisAddress.tcp("asked", 6379)

    private func error(_ text: String) -> RESPValue { .error(RESPErrorReply(text)) }

    /// The step's name and address or error's code.
    private func name(_ step: RedisCall.Step) -> String {
        switch step {
        case .done: "done"
        case .again: "again"
        case .moved(let address): "moved \(address)"
        case .ask(let address): "ask \(address)"
        case .pause: "pause"
        case .elsewhere: "elsewhere"
        case .fail(let error): "fail \(error.code)" + (error.isOutcomeUnknown ? ", perhaps done" : "")
        }
    }

    @Test(
        "each kind of refusal",
        arguments: [
            ("MOVED 3999 10.0.0.1:7000", "moved 10.0.0.1:7000"), ("MOVED 3999 :7000", "moved asked:7000"),
            ("MOVED 1 ::1:7000", "moved [::1]:7000"), ("ASK 3999 10.0.0.1:7000", "ask 10.0.0.1:7000"),
            ("MOVED 3999", "fail protocol"), ("MOVED 3999 x", "fail protocol"), ("TRYAGAIN Multiple keys", "pause"),
            ("CLUSTERDOWN The cluster is down", "pause"), ("LOADING Redis is loading", "pause"),
            ("BUSY Redis is busy", "pause"),
            ("READONLY You can't write", "elsewhere"), ("MASTERDOWN Link", "elsewhere"),
            ("MISCONF Redis is", "fail notNow"),
            ("NOREPLICAS Not enough", "fail notNow"), ("OOM command not allowed", "fail outOfMemory"),
            ("NOAUTH Authentication required.", "fail configuration"), ("NOPERM this user", "fail configuration"),
            ("WRONGPASS invalid", "fail configuration"), ("WRONGTYPE Operation", "fail reply"), ("", "fail reply"),
        ])
    func refusals(text: String, step: String) {
        var call = RedisCall([.increment("a")])
        #expect(name(call.take([error(text)], from: server)) == step)
    }

    @Test("only what was refused is sent again, and each reply ends up in its place")
    func pending() throws {
        var call = RedisCall([.get("a"), .get("b"), .get("c")])
        #expect(name(call.take([error("ASK 1 h:1"), .integer(1), error("TRYAGAIN")], from: server)) == "ask h:1")
        #expect(call.remaining.count == 2)
        #expect(name(call.take([.integer(0), error("TRYAGAIN x")], from: server)) == "pause")
        guard case .done(let replies) = call.take([.integer(2)], from: server) else {
            Issue.record("not done")
            return
        }
        #expect(replies == [.integer(0), .integer(1), .integer(2)])
    }

    @Test("an outcome is unknown once one command was carried out")
    func partial() {
        var call = RedisCall([.increment("a"), .increment("b")])
        #expect(name(call.take([.integer(1), error("MISCONF x")], from: server)) == "fail notNow, perhaps done")
        call = RedisCall([.increment("a"), .increment("b")])
        #expect(name(call.take([error("OOM x"), error("OOM x")], from: server)) == "fail outOfMemory")
        call = RedisCall([.increment("a"), .increment("b")])
        #expect(name(call.take([.integer(1), error("TRYAGAIN x")], from: server)) == "pause")
        #expect(name(call.notConnected(RedisError(.timeout, ""))) == "fail timeout, perhaps done")
    }

    @Test("a script's error may come after it has written, save those of the first write")
    func scripts() {
        let script = RedisCommand(RedisScript("return 1"), keys: [], isRepeatable: false)
        for (text, step) in [
            ("ERR x", "fail reply, perhaps done"), ("NOPERM x", "fail configuration, perhaps done"),
            ("OOM x", "fail outOfMemory"), ("MISCONF x", "fail notNow"),
        ] {
            var call = RedisCall([script])
            #expect(name(call.take([error(text)], from: server)) == step)
        }
    }

    @Test("no more than five redirections")
    func hops() {
        var call = RedisCall([.get("a")])
        let steps = (0..<6).map { name(call.take([error("\($0 % 2 == 0 ? "MOVED" : "ASK") 1 h:1")], from: server)) }
        #expect(steps == ["moved h:1", "ask h:1", "moved h:1", "ask h:1", "moved h:1", "fail notNow"])
    }

    @Test("a broken connection: repeated is what was not carried out, or may be carried out twice")
    func broken() {
        let unsent = RedisError(.connection, "")
        let sent = unsent.afterSending()
        let timeout = RedisError(.timeout, "").afterSending()
        for (command, error, isReused, step) in [
            (RedisCommand.increment("a"), unsent, true, "again"), (.increment("a"), unsent, false, "again"),
            (.increment("a"), sent, true, "fail connection, perhaps done"), (.get("a"), sent, true, "again"),
            (.get("a"), sent, false, "fail connection, perhaps done"),
            (.get("a"), timeout, true, "fail timeout, perhaps done"),
        ] {
            var call = RedisCall([command])
            #expect(name(call.failed(error, isReused: isReused)) == step)
        }
        var mixed = RedisCall([.get("a"), .increment("a")])
        #expect(name(mixed.failed(sent, isReused: true)) == "fail connection, perhaps done")
        var again = RedisCall([.get("a")])
        #expect(
            (0..<3).map { _ in name(again.failed(unsent, isReused: true)) } == ["again", "again", "fail connection"])
    }

    @Test("after a broken connection that may have carried it out, whatever is met next leaves that open")
    func repeated() {
        let sent = RedisError(.connection, "").afterSending()
        var call = RedisCall([.get("a")])
        _ = call.failed(RedisError(.connection, ""), isReused: true)
        #expect(!call.isRepeated && name(call.notConnected(RedisError(.connection, ""))) == "fail connection")
        call = RedisCall([.get("a")])
        #expect(name(call.failed(sent, isReused: true)) == "again" && call.isRepeated)
        #expect(name(call.notConnected(RedisError(.connection, ""))) == "fail connection, perhaps done")
        #expect(name(call.take([error("OOM x")], from: server)) == "fail outOfMemory, perhaps done")
        #expect(name(call.take([error("MISCONF x")], from: server)) == "fail notNow, perhaps done")
    }

    @Test(
        "where commands are of several callers, an error that is of one of them is its own outcome",
        arguments: [
            "WRONGTYPE Operation", "OOM command not allowed", "NOPERM this user", "MISCONF Redis is",
            "NOREPLICAS Not enough", "ERR no such thing",
        ])
    func apart(text: String) throws {
        var call = RedisCall([.get("a"), .get("b"), .get("c")], failsApart: true)
        #expect(name(call.take([.integer(1), error(text), .integer(3)], from: server)) == "done")
        let outcomes = call.outcomes(nil)
        #expect(try outcomes[0].get().integer == 1 && outcomes[2].get().integer == 3)
        #expect(throws: RedisError.self) { try outcomes[1].get() }
    }

    @Test("an error of the whole server is every caller's who has no reply yet")
    func apartFromNone() throws {
        var call = RedisCall([.get("a"), .get("b")], failsApart: true)
        let step = call.take([error("NOAUTH Authentication required."), .integer(2)], from: server)
        #expect(name(step).hasPrefix("fail configuration"))
        call = RedisCall([.get("a"), .get("b")], failsApart: true)
        #expect(name(call.take([.integer(1), error("LOADING Redis is loading")], from: server)) == "pause")
        let outcomes = call.outcomes(RedisError(.timeout, "late"))
        #expect(try outcomes[0].get().integer == 1)
        #expect(throws: RedisError.self) { try outcomes[1].get() }
    }
}
