internal import Logging
internal import RESP

@testable internal import RedisSessions
@testable internal import Sessions

private func reading(_ name: String, _ size: Int, _ input: @escaping @Sendable (Int) -> [UInt8]) -> Shape {
    Shape("Redis replies", name, size) { size in
        let bytes = input(size)
        return {
            // As a network cuts them.
            var parser = RESPParser()
            for start in stride(from: 0, to: bytes.count, by: 100) {
                parser.append(bytes[start..<min(start + 100, bytes.count)])
                while let value = try parser.next() { use(value) }
            }
        }
    }
}

private func hash(_ count: Int) -> RESPValue {
    var fields: [RESPValue] = []
    for number in 0..<count {
        fields.append(.bulk(Array("=k\(number)".utf8)))
        fields.append(.bulk([3, 2]))
    }
    return .array([.integer(0), .array(fields)])
}

let redisShapes: [Shape] = [
    reading("one large value in pieces", 1_000_000) { size in
        Array("$\(size)\r\n".utf8) + bytes("x", times: size) + Array("\r\n".utf8)
    },
    reading("many small values in one", 10_000) { Array("*\($0)\r\n".utf8) + bytes("$1\r\nx\r\n", times: $0) },
    reading("many values, one by one", 10_000) { bytes(":1\r\n", times: $0) },
    Shape("Redis commands", "many values", 5_000) { size in
        let value = bytes("x", times: 200)
        return {
            var writer = RESPWriter()
            for _ in 0..<size { writer.bulk(value) }
            use(writer.bytes)
        }
    },
    reading("a long line", 8_000) { Array("+".utf8) + bytes("x", times: $0) + Array("\r\n".utf8) },
    Shape("sessions in Redis", "a session of many keys", 1_000) { size in
        let reply = hash(size)
        let store = try RedisStore(
            client: RedisClient(settings: RedisSettings(RedisServers(url: "redis://127.0.0.1"))),
            keys: RedisKeys(hashTag: "galleta"), timeout: .seconds(1), encrypts: false, logger: Logger(label: "costs"))
        return { use(try store.found(reply, fields: RedisFields(encrypts: false, cipher: nil))) }
    },
]
