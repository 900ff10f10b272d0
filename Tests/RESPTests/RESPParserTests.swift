import Testing

@testable import RESP

@Suite("Reading RESP")
struct RESPParserTests {
    static let values: [(String, RESPValue)] = [
        ("+OK\r\n", .simple("OK")),
        ("+\r\n", .simple("")),
        ("-ERR no\r\n", .error(RESPErrorReply("ERR no"))),
        (":0\r\n", .integer(0)),
        (":-42\r\n", .integer(-42)),
        (":9223372036854775807\r\n", .integer(.max)),
        (":-9223372036854775808\r\n", .integer(.min)),
        ("$0\r\n\r\n", .bulk([])),
        ("$5\r\na\r\nb\0\r\n", .bulk(Array("a\r\nb\0".utf8))),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("*0\r\n", .array([])),
        ("*2\r\n$1\r\na\r\n:7\r\n", .array([.bulk([0x61]), .integer(7)])),
        (
            "*3\r\n*1\r\n$-1\r\n*0\r\n-NOSCRIPT none\r\n",
            .array([.array([.null]), .array([]), .error(RESPErrorReply("NOSCRIPT none"))])
        ),
    ]

    @Test("each value, wherever the network cuts it", arguments: values)
    func cuts(text: String, value: RESPValue) throws {
        let bytes = Array(text.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var parser = RESPParser()
                var seen: [RESPValue] = []
                for piece in [bytes[..<first], bytes[first..<second], bytes[second...]] {
                    parser.append(piece)
                    while let next = try parser.next() { seen.append(next) }
                    #expect(parser.isEmpty == (seen.count == 1 || piece.endIndex == 0))
                }
                #expect(seen == [value], "cut at \(first) and \(second)")
            }
        }
    }

    @Test("several values after each other, byte by byte")
    func stream() throws {
        let bytes = Self.values.flatMap { Array($0.0.utf8) }
        var parser = RESPParser()
        var seen: [RESPValue] = []
        for byte in bytes {
            parser.append([byte])
            while let next = try parser.next() { seen.append(next) }
        }
        #expect(seen == Self.values.map { $0.1 } && parser.isEmpty)
    }

    @Test(
        "refuses what is not the protocol, wherever it is cut, and goes on refusing",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n", "\r\n", "OK\r\n", "+OK\n", "+O\rK\r\n", ":\r\n", ":+1\r\n", ":01\r\n",
            ":-0\r\n",
            ":1 \r\n", ":0x1\r\n", ":9223372036854775808\r\n", ":-9223372036854775809\r\n", "$-2\r\n", "$\r\n",
            "$1\r\nab\r\n",
            "$1\r\na\n\r", "$1\na\r\n", "*-2\r\n", "*1\r\nx\r\n", "*x\r\n", "%1\r\n", "_\r\n",
        ])
    func garbage(text: String) {
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var parser = RESPParser()
            let errors = [bytes[..<cut], bytes[cut...], Array("+OK\r\n".utf8)[...]].map { piece in
                parser.append(piece)
                do throws(RESPError) {
                    while try parser.next() != nil {}
                    return RESPError?.none
                } catch {
                    return error
                }
            }
            #expect(errors[2]?.isSyntax == true && errors[1] == errors[2], "cut at \(cut)")
        }
    }

    @Test("the limit of each kind is reached and not passed")
    func limits() throws {
        var limits = RESPLimits()
        (limits.bulkBytes, limits.lineBytes, limits.elements, limits.depth, limits.valueBytes) = (4, 6, 3, 2, 40)
        let cases = [
            ("$4\r\nabcd\r\n", true), ("$5\r\n", false), ("+abcde\r\n", true), ("+abcdef\r\n", false),
            ("+abcdef", false),
            ("*3\r\n:1\r\n:1\r\n:1\r\n", true), ("*4\r\n", false), ("*2\r\n*1\r\n:1\r\n*1\r\n", false),
            ("*1\r\n*1\r\n:1\r\n", true), ("*1\r\n*1\r\n*0\r\n", false),
            ("*3\r\n$4\r\nabcd\r\n$4\r\nabcd\r\n$4\r\nabcd\r\n", true),
            ("*3\r\n$4\r\nabcd\r\n$4\r\nabcd\r\n+abcdefghi", false), (":" + String(repeating: "1", count: 40), false),
        ]
        for (text, isTaken) in cases {
            limits.valueBytes = isTaken ? text.utf8.count : 40
            var parser = RESPParser(limits: limits)
            parser.append(text.utf8)
            do throws(RESPError) {
                let value = try parser.next()
                #expect(isTaken && value != nil, "\(text)")
            } catch {
                #expect(!isTaken && !error.isSyntax, "\(text)")
            }
        }
        limits.valueBytes = 19
        var parser = RESPParser(limits: limits)
        parser.append("*2\r\n$4\r\nabcd\r\n$0\r\n".utf8)
        #expect(throws: RESPError.self, "two bytes more than allowed would have to follow") { try parser.next() }
    }

    @Test("an array that only claims to be large takes no memory")
    func claimed() throws {
        var limits = RESPLimits()
        limits.elements = .max
        var parser = RESPParser(limits: limits)
        parser.append("*9000000000000000000\r\n:1\r\n".utf8)
        #expect(try parser.next() == nil)
    }

    @Test("a bulk string of a mebibyte in single bytes and in pieces of a hundred", arguments: [1, 100])
    func large(piece: Int) throws {
        let content = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0) }
        var writer = RESPWriter()
        writer.value(.array([.bulk(content), .integer(1)]))
        var parser = RESPParser()
        var value: RESPValue?
        for start in stride(from: 0, to: writer.bytes.count, by: piece) {
            #expect(value == nil)
            writer.bytes[start..<min(start + piece, writer.bytes.count)].withUnsafeBytes { parser.append($0) }
            value = try parser.next()
        }
        #expect(value == .array([.bulk(content), .integer(1)]) && parser.isEmpty)
    }

    @Test("many values in one piece cost no more than in many pieces")
    func many() throws {
        var parser = RESPParser()
        parser.append(Array(repeating: Array("$10\r\n0123456789\r\n".utf8), count: 100_000).joined())
        var count = 0
        while try parser.next() != nil { count += 1 }
        #expect(count == 100_000 && parser.isEmpty)
    }
}
