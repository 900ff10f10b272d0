internal import RESP

/// A command, or a script with its keys and arguments; encoded when it is made.
///
///     RedisCommand("HGETALL", [.bytes(key)], isRepeatable: true)
///     RedisCommand(.read, keys: [.bytes(key)], arguments: [60_000], isRepeatable: true)
package struct RedisCommand: Sendable {
    let script: RedisScript?
    /// Whether it may be carried out twice without harm, so that it is repeated when a connection breaks under it.
    package let isRepeatable: Bool
    /// How many encoded arguments are in `encoded`, and in a script's `EVAL` or `EVALSHA`.
    private let count: Int
    private let encoded: [UInt8]

    package init(_ name: String, _ arguments: [RedisArgument] = [], isRepeatable: Bool) {
        script = nil
        self.isRepeatable = isRepeatable
        count = 1 + arguments.count
        var writer = RESPWriter()
        writer.bulk(name)
        for argument in arguments { argument.write(to: &writer) }
        encoded = writer.bytes
    }

    package init(_ script: RedisScript, keys: [RedisArgument], arguments: [RedisArgument] = [], isRepeatable: Bool) {
        self.script = script
        self.isRepeatable = isRepeatable
        count = 3 + keys.count + arguments.count
        var writer = RESPWriter()
        writer.bulk(Int64(keys.count))
        for key in keys { key.write(to: &writer) }
        for argument in arguments { argument.write(to: &writer) }
        encoded = writer.bytes
    }

    /// A script whose keys and arguments are written at once, without an array of them.
    ///
    /// - Parameters:
    ///   - keys: How many keys there are.
    ///   - count: How many bulk strings `write` writes: the keys, then the arguments.
    init(
        _ script: RedisScript, keys: Int, count: Int, isRepeatable: Bool, _ write: (inout RESPWriter) -> Void
    ) {
        self.script = script
        self.isRepeatable = isRepeatable
        self.count = 3 + count
        var writer = RESPWriter()
        writer.bytes.reserveCapacity(64 * (count + 1))
        writer.bulk(Int64(keys))
        write(&writer)
        encoded = writer.bytes
    }

    /// How many bytes it has, as good as.
    var byteCount: Int { encoded.count }

    /// - Parameter withSource: Whether a script's source is sent in place of its digest.
    func write(to writer: inout RESPWriter, withSource: Bool) {
        writer.beginArray(count)
        if let script { writer.bytes += withSource ? script.eval : script.evalsha }
        writer.bytes += encoded
    }
}

/// One argument of a command. Literals of text and whole numbers make one.
package enum RedisArgument: Sendable {
    case bytes([UInt8])
    case text(String)
    case integer(Int64)

    func write(to writer: inout RESPWriter) {
        switch self {
        case .bytes(let bytes): writer.bulk(bytes)
        case .text(let text): writer.bulk(text)
        case .integer(let number): writer.bulk(number)
        }
    }
}

extension RedisArgument: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    package init(stringLiteral text: String) {
        self = .text(text)
    }

    package init(integerLiteral number: Int64) {
        self = .integer(number)
    }
}
