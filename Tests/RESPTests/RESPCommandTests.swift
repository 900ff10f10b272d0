import Testing

@testable import RESP

@Suite("Commands in RESP")
struct RESPCommandTests {
    @Test("a command comes out as it went in, wherever it is cut")
    func cuts() throws {
        let command: [[UInt8]] = [Array("SET".utf8), [], [0, 13, 10, 255]]
        var writer = RESPWriter()
        writer.command(command)
        writer.command([[0x61]])
        for cut in 0...writer.bytes.count {
            var parser = RESPParser()
            var seen: [[[UInt8]]] = []
            for piece in [writer.bytes[..<cut], writer.bytes[cut...]] {
                parser.append(piece)
                while let next = try parser.nextCommand() { seen.append(next) }
            }
            #expect(seen == [command, [[0x61]]])
        }
    }

    @Test(
        "what is no array of bulk strings is refused at its first byte that shows it",
        arguments: [
            "PING\r\n", "P", "+OK\r\n", "$", "*0\r\n", "*-1\r\n", "*1\r\n$-1\r\n", "*1\r\n*", "*2\r\n$1\r\na\r\n:",
            "*1\r\n+",
        ])
    func others(text: String) {
        var parser = RESPParser()
        parser.append(text.utf8)
        let error = #expect(throws: RESPError.self) { try parser.nextCommand() }
        #expect(error?.isSyntax == true)
    }

    @Test("a server's limits hold for commands")
    func limits() {
        for text in ["*1\r\n$1025\r\n", "*2\r\n$600\r\n\(String(repeating: "a", count: 600))\r\n$600\r\n"] {
            var parser = RESPParser(limits: RESPLimits(valueBytes: 1024))
            parser.append(text.utf8)
            let error = #expect(throws: RESPError.self) { try parser.nextCommand() }
            #expect(error?.isSyntax == false)
        }
    }

    @Test("each way to write an argument", arguments: [Int64.min, -1, 0, 9, 10, 1234567890, .max])
    func arguments(number: Int64) throws {
        var writer = RESPWriter()
        writer.beginArray(3)
        writer.bulk(number)
        writer.bulk("é")
        [UInt8(1), 2].withUnsafeBytes { writer.bulk($0) }
        var parser = RESPParser()
        parser.append(writer.bytes)
        #expect(try parser.nextCommand() == [Array("\(number)".utf8), Array("é".utf8), [1, 2]])
    }

    @Test("each value is read as it was written", arguments: RESPParserTests.values)
    func values(text: String, value: RESPValue) {
        var writer = RESPWriter()
        writer.value(value)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == (text == "*-1\r\n" ? "$-1\r\n" : text))
    }

    @Test("a line end in a text begins no other value")
    func injection() throws {
        var writer = RESPWriter()
        writer.value(.error(RESPErrorReply("ERR a\r\n+OK\nb")))
        var parser = RESPParser()
        parser.append(writer.bytes)
        #expect(try parser.next() == .error(RESPErrorReply("ERR a  +OK b")) && parser.isEmpty)
    }

    @Test("an error's first word is its code")
    func codes() {
        let moved = RESPErrorReply("MOVED 3999 127.0.0.1:6381")
        #expect(moved.code == "MOVED" && moved.words == ["3999", "127.0.0.1:6381"])
        #expect(RESPErrorReply("").code == "")
    }
}
