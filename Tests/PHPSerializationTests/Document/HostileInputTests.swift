import GalletaPlatform
import PHPSerialization
import Testing

@Suite("Bytes that PHP did not write")
struct HostileInputTests {
    struct Input: CustomTestStringConvertible, Sendable {
        let text: String
        let offset: Int
        var testDescription: String { text }

        init(_ text: String, _ offset: Int) {
            self.text = text
            self.offset = offset
        }
    }

    static let malformed: [Input] = [
        Input("", 0), Input("x", 0), Input("N", 1), Input("N;x", 2), Input("i", 1), Input("i:;", 2),
        Input("i:0x10;", 3), Input("i:1", 3), Input("i:--1;", 2), Input("b:2;", 2), Input("b:1", 3),
        Input("d:abc;", 2), Input("d:;", 2), Input("d:.;", 2), Input("d:+INF;", 2), Input("d:NaN;", 3),
        Input("d:1e;", 4), Input("d:0x1p3;", 3), Input("s:5:\"ab\";", 2), Input("s:-1:\"\";", 2),
        Input("s:+1:\"a\";", 2), Input("s:4294967296:\"x\";", 2), Input("s:1:\"ab\";", 6), Input("s:1:a\";", 4),
        Input("s:1:\"a\"", 7), Input("S:1:\"\\4g\";", 5), Input("S:1:\"\\4", 5), Input("a:-1:{}", 2),
        Input("a:+1:{i:0;i:1;}", 2), Input("a:1000000000:{}", 2), Input("a:2:{i:0;i:1;}", 2),
        Input("a:2:{i:0;i:1;}i:1;", 13), Input("a:1:{N;i:1;}", 5), Input("a:1:{d:5;i:1;}", 5),
        Input("a:1:{i:0;i:1;", 13), Input("a:1:{i:0;i:1;i:1;i:2;}", 13), Input("a:0:{};", 6), Input("a:0:{", 5),
        Input("R:0;", 2), Input("R:1;", 2), Input("a:1:{i:0;R:2;}", 11), Input("a:2:{i:0;R:3;i:1;i:5;}", 11),
        Input("r:1;", 2), Input("a:2:{i:0;i:1;i:1;r:2;}", 19), Input("O:8:\"stdClass\":1:{s:1:\"a\";r:2;}", 28),
        Input("O:0:\"\":0:{}", 2), Input("O:2:\"\\A\":0:{}", 2), Input("O:3:\"a b\":0:{}", 2),
        Input("O:8:\"class@an\":0:{}", 2), Input("O:1:\"A\":1:{b:1;i:1;}", 11), Input("O:1:\"A\":-1:{}", 8),
        Input("O:1:\"A\":1:{}", 8), Input("C:6:\"OldSer\":100:{x}", 13), Input("C:1:\"A\":1:{xx}", 12),
        Input("E:4:\"Suit\";", 2), Input("E:5:\"Suit:\";", 2), Input("E:5:\":Case\";", 2), Input("o:0:{}", 0),
        Input("\0\0\0\0\0\0\0\0", 0),
    ]

    @Test("what PHP refuses is refused, at the byte where it shows", arguments: malformed)
    func refused(input: Input) {
        let error = #expect(throws: PHPSerializationError.self) {
            try PHPDocument(Array(input.text.utf8), format: .serialize)
        }
        #expect(error?.code == .syntax)
        #expect(error?.offset == input.offset)
    }

    @Test(
        "what PHP reads, but could not be written back as it was, is refused",
        arguments: [
            Input("i:9223372036854775808;", 2), Input("i:-9223372036854775809;", 2),
            Input("i:99999999999999999999999;", 2), Input("s:18446744073709551617:\"a\";", 2),
            Input("a:18446744073709551616:{}", 2), Input("a:2:{i:0;i:1;i:0;i:2;}", 13),
            Input("a:2:{s:1:\"9\";i:1;i:9;i:2;}", 17), Input("a:2:{s:1:\"a\";i:1;S:1:\"\\61\";i:2;}", 17),
            Input("O:1:\"A\":2:{s:1:\"a\";i:1;s:1:\"a\";i:2;}", 23), Input("N;N;", 2),
        ])
    func unfaithful(input: Input) {
        let error = #expect(throws: PHPSerializationError.self) {
            try PHPDocument(Array(input.text.utf8), format: .serialize)
        }
        #expect(error?.offset == input.offset)
    }

    @Test(
        "what PHP reads goes back as it is",
        arguments: [
            "i:+5;", "i:-0;", "i:007;", "i:-9223372036854775808;", "d:.5;", "d:5.;", "d:1e5;", "d:1E+5;", "d:+1;",
            "d:-INF;", "d:1.e3;", "d:1e400;", "d:0.1000000000000000055511151231257827;", "S:2:\"\\41b\";",
            "a:1:{S:1:\"\\41\";i:1;}", "a:1:{i:+5;i:1;}", "a:01:{i:0;i:1;}", "O:7:\"Unknown\":1:{s:4:\"\0*\0b\";N;}",
            "E:9:\"Gone:Away\";", "a:1:{i:0;R:1;}", "O:1:\"A\":1:{s:1:\"a\";r:1;}",
            "a:2:{i:0;O:1:\"A\":0:{}i:1;r:2;}", "C:6:\"OldSer\":4:{};{x}", "O:3:\"A\\B\":0:{}",
            "O:1:\"A\":2:{i:0;i:1;s:1:\"0\";i:2;}",
        ])
    func verbatim(text: String) throws {
        let bytes = Array(text.utf8)
        #expect(try PHPDocument(bytes, format: .serialize).encoded() == bytes)
        // Inside of an array that is changed, too.
        let inside = Array("a:1:{s:1:\"x\";".utf8) + bytes + Array("}".utf8)
        guard !text.contains("R:") && !text.contains("r:") else { return }
        var document = try PHPDocument(inside, format: .phpSerialize)
        try document.set("new", to: nil)
        #expect(
            try document.encoded() == Array("a:2:".utf8) + inside.dropFirst(4).dropLast()
                + Array("s:3:\"new\";N;}".utf8))
    }

    @Test("references that double what they refer to with each step cost what their text costs")
    func doubling() throws {
        var text = "a:30:{i:0;a:1:{i:0;i:0;}"
        var number = 2
        for step in 1..<30 {
            text += "i:\(step);a:2:{i:0;R:\(number);i:1;R:\(number);}"
            number += step == 1 ? 2 : 1
        }
        let bytes = Array((text + "}").utf8)
        let document = try PHPDocument(bytes, format: .phpSerialize)
        #expect(try document.encoded() == bytes)
        #expect(try document.root().serialized() == bytes)
        #expect(try document.value("29")?.serialized().count ?? 0 < 2 * bytes.count)
    }

    @Test(
        "a session of another format is refused",
        arguments: [
            (PHPFormat.php, "a:1:{s:1:\"a\";i:1;}"), (.php, "\u{1}ai:1;"), (.php, "a|i:1;rest"), (.php, "a"),
            (.phpBinary, "a|i:1;"), (.phpBinary, "a:1:{s:1:\"a\";i:1;}"), (.phpBinary, "\u{1}"),
            (.phpBinary, "\u{1}a"), (.phpSerialize, "a|i:1;"), (.phpSerialize, "i:1;"), (.phpSerialize, "\u{1}ai:1;"),
            (.php, "\0\0\0\0"), (.phpBinary, "\0\0\0\0"), (.igbinary, "a|i:1;"),
        ])
    func otherFormat(format: PHPFormat, text: String) {
        #expect(throws: PHPSerializationError.self) { try PHPDocument(Array(text.utf8), format: format) }
    }

    @Test("a name given twice is refused where it comes again")
    func namesTwice() {
        for (format, text, offset) in [
            (PHPFormat.php, "a|i:1;b|i:1;a|i:2;", 12), (.phpBinary, "\u{1}ai:1;\u{1}ai:2;", 6),
            (.phpSerialize, "a:2:{s:1:\"a\";i:1;s:1:\"a\";i:2;}", 17),
        ] {
            let error = #expect(throws: PHPSerializationError.self) {
                try PHPDocument(Array(text.utf8), format: format)
            }
            #expect(error?.offset == offset)
        }
        var many = (0..<1_000).map { "name\($0)|i:\($0);" }.joined()
        let offset = many.utf8.count
        many += "name500|N;"
        let error = #expect(throws: PHPSerializationError.self) { try PHPDocument(Array(many.utf8), format: .php) }
        #expect(error?.offset == offset)
    }

    @Test("a key given twice is refused among many that look alike")
    func keysTwice() throws {
        func text(_ keys: [String]) -> [UInt8] {
            Array(("a:\(keys.count):{" + keys.map { "s:\($0.utf8.count):\"\($0)\";N;" }.joined() + "}").utf8)
        }
        // The same at both ends and in length.
        let alike = (0..<2_000).map { "same\(String($0 + 10_000))same" }
        #expect(try PHPDocument(text(alike), format: .serialize).count == 2_000)
        #expect(throws: PHPSerializationError.self) {
            try PHPDocument(text(alike + [alike[1_000]]), format: .serialize)
        }
        #expect(throws: PHPSerializationError.self) { try PHPDocument(text(["b", "a", "b"]), format: .serialize) }
    }

    @Test("igbinary and msgpack are refused by name, in each of PHP's own formats")
    func foreign() {
        for (bytes, name) in [
            ([0, 0, 0, 2, 0x14, 0] as [UInt8], "igbinary"), ([0x81, 0xA1, 0x61, 1], "msgpack"),
            ([0xDE, 0, 0], "msgpack"),
        ] {
            for format in PHPFormat.sessionFormats {
                let error = #expect(throws: PHPSerializationError.self) { try PHPDocument(bytes, format: format) }
                #expect(error?.code == .format)
                #expect(error?.reason.contains(name) == true)
            }
        }
        let error = #expect(throws: PHPSerializationError.self) { try PHPDocument([0x80], format: .msgpack) }
        #expect(error?.code == .format)
        // Latin-1 may begin so, too.
        #expect(throws: Never.self) { try PHPDocument([0x8E, 0x7C] + Array("i:1;".utf8), format: .php) }
    }

    @Test("bytes, values and depth have limits, which are kept")
    func limits() {
        let nested = { (depth: Int) in
            Array((String(repeating: "a:1:{i:0;", count: depth) + "N;" + String(repeating: "}", count: depth)).utf8)
        }
        #expect(throws: Never.self) { try PHPDocument(nested(4_096), format: .serialize) }
        let cases: [([UInt8], PHPLimits, String)] = [
            (nested(4_097), PHPLimits(), "depth"), (nested(8), PHPLimits(depth: 7), "depth"),
            (Array(String(repeating: "a:1:{i:0;", count: 200_000).utf8), PHPLimits(), "depth"),
            (nested(8), PHPLimits(values: 8), "values"), (nested(8), PHPLimits(bytes: nested(8).count - 1), "bytes"),
        ]
        for (bytes, limits, field) in cases {
            let error = #expect(throws: PHPSerializationError.self) {
                try PHPDocument(bytes, format: .serialize, limits: limits)
            }
            #expect(error?.code == .limit)
            #expect(error?.reason.contains("limits.\(field)") == true)
        }
        let exact = PHPLimits(bytes: nested(8).count, values: 9, depth: 8)
        #expect(throws: Never.self) { try PHPDocument(nested(8), format: .serialize, limits: exact) }
    }

    @Test("names that share a long value have it whole only as far as the bytes of a document may go")
    func shared() throws {
        let long = String(repeating: "x", count: 1_000_000)
        let text = { (names: Int) in
            Array(("a|s:1000000:\"\(long)\";" + (0..<names).map { "b\($0)|R:1;" }.joined()).utf8)
        }
        #expect(try PHPDocument(text(3), format: .php).values().count == 4)
        let document = try PHPDocument(text(10_000), format: .php)
        let error = #expect(throws: PHPSerializationError.self) { try document.values() }
        #expect(error?.code == .limit)
        #expect(try document.value("b9999")?.bytes?.count == 1_000_000)
        #expect(try document.encoded() == text(10_000))
    }

    @Test("any byte may be wrong: nothing is read that is not written back")
    func flips() throws {
        var random = SystemRandomNumberGenerator()
        for vector in VectorTests.vectors where vector.bytes.count < 400 && !vector.bytes.isEmpty {
            for _ in 0..<20 {
                var bytes = vector.bytes
                for _ in 0...Int.random(in: 0...2, using: &random) {
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                guard var document = try? PHPDocument(bytes, format: vector.format) else { continue }
                #expect(try document.encoded() == bytes)
                _ = try? document.root()
                guard (try? document.set("galleta", to: [1])) != nil, let changed = try? document.encoded() else {
                    continue
                }
                #expect(try PHPDocument(changed, format: vector.format).names == document.names)
            }
        }
    }
}
