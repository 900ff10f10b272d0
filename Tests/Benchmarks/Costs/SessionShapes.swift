@testable internal import Sessions

let sessionShapes: [Shape] =
    [
        json("nested arrays", 500) { bytes(repeated("[", 60) + repeated("]", 60) + ",", times: $0) },
        json("nested objects", 200) { bytes(repeated("{\"a\":", 60) + "1" + repeated("}", 60) + ",", times: $0) },
        json("many keys", 1500) { Array("{".utf8) + bytes(upTo: $0) { "\"k\($0)\":1," } + Array("\"k\":1},".utf8) },
        json("one key", 5000) { Array("{".utf8) + bytes("\"k\":1,", times: $0) + Array("\"k\":1},".utf8) },
        json("a long string", 200_000) { Array("\"".utf8) + bytes("x", times: $0) + Array("\",".utf8) },
        json("escapes", 50_000) { Array("\"".utf8) + bytes("\\n", times: $0) + Array("\",".utf8) },
        json("surrogate pairs", 10_000) { Array("\"".utf8) + bytes("\\ud83d\\ude00", times: $0) + Array("\",".utf8) },
        json("many strings", 5000) { bytes("\"x\",", times: $0) },
        json("many numbers", 5000) { bytes("1.5e3,", times: $0) },
        json("a long number", 50_000, mayBeRefused: true) { bytes("7", times: $0) + Array(",".utf8) },
        json("a long fraction", 50_000) { Array("0.".utf8) + bytes("7", times: $0) + Array(",".utf8) },
        json("blanks", 200_000) { bytes(" ", times: $0) },
        json("bytes", 50_000) { Array("{\"$bytes\":\"".utf8) + bytes("AAAA", times: $0) + Array("\"},".utf8) },
        json("too deep", 50_000, mayBeRefused: true) { bytes("[", times: $0) },
        json("a string without an end", 50_000, mayBeRefused: true) { Array("\"".utf8) + bytes("\\n", times: $0) },

        writtenJSON("many keys", 2000) { size in
            .object(SessionObject((0..<size).map { ("k\($0)", .int(1)) }))
        },
        writtenJSON("text to escape", 50_000) { .string(repeated("\"<", $0)) },
        writtenJSON("bytes", 100_000) { .bytes(Array(repeating: 7, count: $0)) },

        Shape("JSON to values and back", "many keys", 500) { size in
            let value = SessionValue.object(SessionObject((0..<size).map { ("k\($0)", .int(1)) }))
            return {
                let decoded = try value.decode([String: Int].self)
                use(try SessionValue(encoding: decoded))
            }
        },

        Shape("session values", "reading many keys", 1500) { size in
            let values = try values(size)
            return values.withEncodedBytes { encoded in
                let encoded = Array(encoded)
                return { use(try encoded.withUnsafeBytes { try SessionValues(encoded: $0) }) }
            }
        },
        Shape("session values", "reading a long list", 20_000) { size in
            let list = SessionValue.array(Array(repeating: .int(1), count: size))
            let values = try SessionValues([(SessionKey("list"), list)])
            return { use(values["list"]) }
        },
        Shape("session values", "one change among many keys", 2000) { size in
            let values = try values(size)
            var patch = SessionPatch()
            try patch.set(.int(2), for: SessionKey("k0"))
            return { use(try values.applying(patch, limits: .none)) }
        },
        Shape("session values", "the keys", 4000) { size in
            let values = try values(size)
            return { use(values.keys) }
        },
        Shape("session values", "looking for a key that is not there", 5000) { size in
            let values = try values(size)
            return { use(values["other"]) }
        },
        Shape("session values", "as many changes as keys", 500) { size in
            let values = try values(size)
            return {
                var patch = SessionPatch()
                for number in 0..<size { try patch.set(.int(2), for: SessionKey("k\(number)")) }
                use(try values.applying(patch, limits: .none))
            }
        },

        Shape("objects", "many keys set", 2000) { size in
            let keys = (0..<size).map { "k\($0)" }
            return {
                var object = SessionObject()
                for key in keys { object[.init(key)] = .int(1) }
                use(object)
            }
        },
        Shape("objects", "one of many keys removed", 2000) { size in
            let object = SessionObject((0..<size).map { ("k\($0)", .int(1)) })
            return {
                var object = object
                object["k0"] = nil
                use(object)
            }
        },
        Shape("objects", "two compared", 1000) { size in
            let keys: [ByteString] = (0..<size).map { "k\($0)" }
            let first = SessionObject(keys.map { ($0, .int(1)) })
            let second = SessionObject(keys.reversed().map { ($0, .int(1)) })
            return { use(first == second) }
        },
    ]

private func repeated(_ unit: String, _ count: Int) -> String { String(repeating: unit, count: count) }

private func values(_ count: Int) throws -> SessionValues {
    try SessionValues(
        encoded: (0..<count).flatMap { number -> [UInt8] in
            let key = Array("k\(number)".utf8)
            return [UInt8(key.count << 1)] + key + [2, 3, 2]
        })
}

extension SessionValues {
    fileprivate init(encoded bytes: [UInt8]) throws {
        self = try bytes.withUnsafeBytes { try SessionValues(encoded: $0) }
    }
}

/// JSON text: an array of what `members` gives, or what it gives by itself if that may be refused.
private func json(
    _ name: String, _ size: Int, mayBeRefused: Bool = false, _ members: @escaping @Sendable (Int) -> [UInt8]
)
    -> Shape
{
    Shape("JSON read", name, size) { size in
        let members = members(size)
        let text = mayBeRefused ? members : Array("[".utf8) + members + Array("0]".utf8)
        return mayBeRefused ? { use(try? SessionValue(json: text)) } : { use(try SessionValue(json: text)) }
    }
}

private func writtenJSON(_ name: String, _ size: Int, _ value: @escaping @Sendable (Int) -> SessionValue) -> Shape {
    Shape("JSON written", name, size) { size in
        let value = value(size)
        return { use(try value.jsonBytes()) }
    }
}
