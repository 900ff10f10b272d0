import RESP
import Testing

@testable import RedisSessions

@Suite("Where the sessions are")
struct RedisRouteTests {
    @Test(
        "slots, as the specification and redis-server compute them",
        arguments: [
            ("123456789", 0x31c3), ("galleta", 0), ("", 0), ("foo", 12182), ("somekey", 11058),
        ])
    func slots(tag: String, slot: Int) {
        if tag == "galleta" {
            #expect((0..<HashSlot.count).contains(HashSlot.of(tag.utf8)))
        } else {
            #expect(HashSlot.of(tag.utf8) == slot % HashSlot.count)
        }
    }

    private func node(_ host: String?, _ port: Int64) -> RESPValue {
        .array([host.map { .bulk(Array($0.utf8)) } ?? .null, .integer(port), .bulk([0x61]), .array([])])
    }

    @Test("the owner of a slot, and all nodes")
    func owner() throws {
        let reply = RESPValue.array([
            .array([.integer(0), .integer(100), node("a", 1), node("b", 2)]),
            .array([.integer(101), .integer(101), node(nil, 3)]),
            .array([.integer(200), .integer(300), node("", 4), node("a", 1)]),
        ])
        let owners = [0, 100, 101, 102, 200, 300, 301].map {
            ClusterSlots(reply, slot: $0, by: .tcp("asked", 9))?.owner?.description
        }
        #expect(owners == ["a:1", "a:1", "asked:3", nil, "asked:4", "asked:4", nil])
        let nodes = try #require(ClusterSlots(reply, slot: 0, by: .tcp("asked", 9))).nodes
        #expect(nodes == [.tcp("a", 1), .tcp("b", 2), .tcp("asked", 3), .tcp("asked", 4)])
    }

    @Test(
        "what is no such reply",
        arguments: [
            RESPValue.null, .array([.integer(1)]), .array([.array([.integer(0), .integer(1)])]),
            .array([.array([.integer(0), .integer(1), .array([.null])])]),
            .array([.array([.integer(0), .integer(1), .array([.null, .integer(0)])])]),
            .array([.array([.integer(0), .integer(1), .array([.null, .integer(65_536)])])]),
        ])
    func nonsense(reply: RESPValue) {
        #expect(ClusterSlots(reply, slot: 0, by: .tcp("asked", 9)) == nil)
    }

    @Test("ranges that end before they begin are no trap")
    func inverted() {
        let reply = RESPValue.array([.array([.integer(.max), .integer(.min), node("a", 1)])])
        #expect(ClusterSlots(reply, slot: 0, by: .tcp("asked", 9))?.owner == nil)
    }

    @Test("who has answered is asked first, and the configured ones are never forgotten")
    func order() {
        var order = AddressOrder([.tcp("a", 1), .tcp("b", 1), .tcp("c", 1)])
        #expect(order.next(after: .tcp("a", 1)) == .tcp("b", 1) && order.next(after: .tcp("c", 1)) == .tcp("a", 1))
        #expect(order.next(after: .tcp("z", 1)) == .tcp("a", 1))
        order.answered(.tcp("b", 1))
        #expect(order.addresses.map(\.description) == ["b:1", "a:1", "c:1"])
        order.learned([.tcp("x", 1), .tcp("b", 1)], by: .tcp("b", 1))
        #expect(order.addresses.map(\.description) == ["b:1", "x:1", "a:1", "c:1"])
        order.learned([.tcp("y", 1)], by: .tcp("c", 1))
        #expect(order.addresses.map(\.description) == ["c:1", "y:1", "a:1", "b:1"])
    }

    @Test("a sentinel's reply")
    func sentinel() throws {
        let host = { (text: String) in RESPValue.bulk(Array(text.utf8)) }
        let asked = RedisAddress.tcp("asked", 26379)
        #expect(
            try RedisDirectory.primary(.array([host("10.0.0.1"), host("6379")]), name: "main", by: asked)
                == .tcp("10.0.0.1", 6379))
        for (reply, code) in [
            (RESPValue.null, RedisError.Code.configuration), (.array([host("a")]), .protocol),
            (.array([host(""), host("1")]), .protocol), (.array([host("a"), host("0")]), .protocol),
        ] {
            let error = #expect(throws: RedisError.self) { try RedisDirectory.primary(reply, name: "main", by: asked) }
            #expect(error?.code == code)
        }
    }
}
