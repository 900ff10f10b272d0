internal import RESP

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
