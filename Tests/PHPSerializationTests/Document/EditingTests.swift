import GalletaPlatform
import PHPSerialization
import Testing

@Suite("Changes to a document")
struct EditingTests {
    private func changed(
        _ text: String, _ format: PHPFormat = .php, _ change: (inout PHPDocument) throws -> Void
    ) throws -> String {
        var document = try PHPDocument(Array(text.utf8), format: format)
        try change(&document)
        return String(decoding: try document.encoded(), as: UTF8.self)
    }

    @Test("a new name comes last, a known one stays where it is")
    func order() throws {
        #expect(try changed("b|i:1;a|i:2;") { try $0.set("c", to: "x") } == "b|i:1;a|i:2;c|s:1:\"x\";")
        #expect(try changed("b|i:1;a|i:2;") { try $0.set("b", to: nil) } == "b|N;a|i:2;")
        #expect(try changed("b|i:1;a|i:2;") { try $0.remove("b") } == "a|i:2;")
        #expect(try changed("b|i:1;") { try $0.remove("x") } == "b|i:1;")
    }

    @Test("an empty session takes names in each format")
    func empty() throws {
        #expect(try changed("") { try $0.set("a", to: 1) } == "a|i:1;")
        #expect(try changed("", .phpBinary) { try $0.set("a", to: 1) } == "\u{1}ai:1;")
        #expect(try changed("", .phpSerialize) { try $0.set("a", to: 1) } == "a:1:{s:1:\"a\";i:1;}")
        #expect(try PHPDocument(format: .serialize).encoded() == Array("a:0:{}".utf8))
        #expect(try PHPDocument(format: .php).encoded() == [])
    }

    @Test("a variable in two places changes in both, and outlives one of them")
    func variables() throws {
        #expect(try changed("a|i:1;b|R:1;") { try $0.set("b", to: 2) } == "a|i:2;b|R:1;")
        #expect(try changed("a|i:1;b|R:1;") { try $0.set("a", to: 2) } == "a|i:2;b|R:1;")
        #expect(try changed("a|i:1;b|R:1;") { try $0.remove("a") } == "b|i:1;")
        #expect(
            try changed("a|i:1;b|R:1;") {
                try $0.set("a", to: 2)
                try $0.remove("a")
                try $0.set("a", to: 3)
            } == "b|i:2;a|i:3;")
        #expect(
            try changed("x|a:1:{s:1:\"y\";i:5;}z|R:2;") { try $0.set("x", to: 0) } == "x|i:0;z|i:5;")
        #expect(
            try changed("x|a:1:{s:1:\"y\";i:5;}z|R:2;") { try $0.set("z", to: 6) } == "x|a:1:{s:1:\"y\";i:6;}z|R:2;")
    }

    @Test("an object is written where it comes first, and numbers follow")
    func objects() throws {
        let session = "a|i:1;o|O:1:\"A\":1:{s:1:\"x\";i:1;}p|a:1:{i:0;r:2;}"
        #expect(try changed(session) { try $0.remove("a") } == "o|O:1:\"A\":1:{s:1:\"x\";i:1;}p|a:1:{i:0;r:1;}")
        #expect(try changed(session) { try $0.remove("o") } == "a|i:1;p|a:1:{i:0;O:1:\"A\":1:{s:1:\"x\";i:1;}}")
        #expect(
            try changed(session) { try $0.set("a", to: [1, 2]) }
                == "a|a:2:{i:0;i:1;i:1;i:2;}o|O:1:\"A\":1:{s:1:\"x\";i:1;}p|a:1:{i:0;r:4;}")
        // The object stays when the variable that held it gets something else.
        #expect(
            try changed("a|O:1:\"A\":0:{}b|R:1;c|r:1;") { try $0.set("b", to: 7) } == "a|i:7;b|R:1;c|O:1:\"A\":0:{}")
    }

    @Test("a variable that is left in one place is no variable of an object elsewhere")
    func singleVariable() throws {
        #expect(
            try changed("q|a:1:{i:0;O:1:\"A\":0:{}}y|r:2;w|R:3;") { try $0.remove("w") }
                == "q|a:1:{i:0;O:1:\"A\":0:{}}y|r:2;")
    }

    @Test("a case of an enum is one object, whoever puts it in")
    func enums() throws {
        let hearts = PHPValue.enumCase(PHPEnumCase(className: "Suit", name: "Hearts"))
        #expect(
            try changed("a|E:11:\"Suit:Hearts\";") { try $0.set("b", to: [hearts]) }
                == "a|E:11:\"Suit:Hearts\";b|a:1:{i:0;r:1;}")
        #expect(
            try changed("a|E:11:\"Suit:Hearts\";b|r:1;") { try $0.set("a", to: 0) } == "a|i:0;b|E:11:\"Suit:Hearts\";")
    }

    @Test("names that PHP would lose are refused, and nothing is changed")
    func names() throws {
        let long = ByteString(String(repeating: "k", count: 128))
        for (format, name) in [
            (PHPFormat.php, "a|b" as ByteString), (.php, "9"), (.php, "-1"), (.phpBinary, "0"), (.phpBinary, long),
        ] {
            var document = PHPDocument(format: format)
            let error = #expect(throws: PHPSerializationError.self) { try document.set(name, to: 1) }
            #expect(error?.code == .change)
            #expect(document.names == [])
            #expect(try document.encoded() == [])
        }
        #expect(try changed("", .phpSerialize) { try $0.set("9", to: 1) } == "a:1:{i:9;i:1;}")
        #expect(try changed("a:1:{i:9;i:1;}", .phpSerialize) { try $0.set("9", to: 2) } == "a:1:{i:9;i:2;}")
        #expect(try changed("", .phpSerialize) { try $0.set("a|b", to: 1) } == "a:1:{s:3:\"a|b\";i:1;}")
        #expect(try changed("", .php) { try $0.set("", to: 1) } == "|i:1;")
        #expect(try changed("", .php) { try $0.set("08", to: 1) } == "08|i:1;")
    }

    @Test("values that PHP would not read are refused, and nothing is changed")
    func values() throws {
        var deep: PHPValue = nil
        for _ in 0..<513 { deep = [deep] }
        let twice = PHPArray([.init(key: 1, value: 1), .init(key: "1", value: 2)])
        let values: [PHPValue] = [
            deep, .array(twice), .reference(to: 2), .sameObject(as: 1), [.sameObject(as: 1)],
            .object(PHPObject(className: "")), .object(PHPObject(className: "a b")),
            .enumCase(PHPEnumCase(className: "", name: "A")), .enumCase(PHPEnumCase(className: "A", name: "")),
        ]
        for value in values {
            var document = try PHPDocument(Array("a|i:1;".utf8), format: .php)
            #expect(throws: PHPSerializationError.self) { try document.set("a", to: value) }
            #expect(throws: PHPSerializationError.self) { try document.set("b", to: value) }
            #expect(try document.encoded() == Array("a|i:1;".utf8))
            #expect(document.names == ["a"])
        }
    }

    @Test("beside an object whose class has Serializable only what keeps all numbers is changed")
    func custom() throws {
        let session = "a|i:1;v|C:1:\"S\":4:{i:0;}o|O:1:\"A\":0:{}b|r:9;"
        #expect(
            try changed(session) { try $0.set("a", to: "x") }
                == "a|s:1:\"x\";v|C:1:\"S\":4:{i:0;}o|O:1:\"A\":0:{}b|r:9;")
        #expect(
            try changed(session) { try $0.set("n", to: [1, ["a": 2]]) } == session
                + "n|a:2:{i:0;i:1;i:1;a:1:{s:1:\"a\";i:2;}}")
        var document = try PHPDocument(Array(session.utf8), format: .php)
        let refusals: [(inout PHPDocument) throws -> Void] = [
            { try $0.set("a", to: [1]) }, { try $0.set("o", to: 1) }, { try $0.set("b", to: 1) },
            { try $0.set("v", to: 1) }, { try $0.remove("a") },
            { try $0.set("n", to: [1, .reference(to: 2)]) },
        ]
        for refused in refusals {
            let error = #expect(throws: PHPSerializationError.self) { try refused(&document) }
            #expect(error?.code == .change)
            #expect(error?.reason.contains("Serializable") == true)
        }
        #expect(try document.encoded() == Array(session.utf8))
        #expect(throws: PHPSerializationError.self) { try document.value("b") }
        #expect(try document.value("v") == PHPValue(serialized: Array("C:1:\"S\":4:{i:0;}".utf8)))
        #expect(
            try changed("a|i:1;b|R:1;v|C:1:\"S\":0:{}") { try $0.set("a", to: 2) } == "a|i:2;b|R:1;v|C:1:\"S\":0:{}")
    }

    @Test("what would exceed the limits is not written")
    func limits() throws {
        var document = try PHPDocument(
            Array("a|i:1;".utf8), format: .php, limits: PHPLimits(bytes: 12, values: 2, depth: 1))
        try document.set("b", to: 2)
        #expect(try document.encoded().count == 12)
        try document.set("b", to: "long")
        #expect(throws: PHPSerializationError.self) { try document.encoded() }
        try document.set("b", to: 2)
        try document.set("c", to: nil)
        #expect(throws: PHPSerializationError.self) { try document.encoded() }
        try document.remove("c")
        #expect(try document.encoded().count == 12)
        #expect(throws: PHPSerializationError.self) { try document.set("b", to: [[]]) }
        var full = try PHPDocument(Array("a|i:1;".utf8), format: .php, limits: PHPLimits(values: 2))
        try full.set("b", to: [])
        #expect(try full.encoded() == Array("a|i:1;b|a:0:{}".utf8))
        try full.set("c", to: 1)
        let many = #expect(throws: PHPSerializationError.self) { try full.encoded() }
        #expect(many?.reason.contains("limits.values") == true)
        // Objects that stood side by side would be inside each other: PHP would write that and never read it.
        let chain = "a|O:1:\"A\":1:{i:0;N;}" + (2...9).map { "x\($0)|O:1:\"A\":1:{i:0;r:\(2 * $0 - 3);}" }.joined()
        var objects = try PHPDocument(Array(chain.utf8), format: .php, limits: PHPLimits(depth: 3))
        for name in ["a", "x2", "x3", "x4", "x5", "x6", "x7", "x8"] as [ByteString] { try objects.remove(name) }
        let error = #expect(throws: PHPSerializationError.self) { try objects.encoded() }
        #expect(error?.code == .limit)
    }

    @Test("a value that is set over and over leaves nothing behind")
    func compaction() throws {
        var document = try PHPDocument(
            Array("a|i:1;z|O:1:\"A\":0:{}y|r:2;".utf8), format: .php, limits: PHPLimits(bytes: 1_000))
        for number in 0..<5_000 { try document.set("a", to: [.init(number), "some text"]) }
        #expect(
            try document.encoded()
                == Array("a|a:2:{i:0;i:4999;i:1;s:9:\"some text\";}z|O:1:\"A\":0:{}y|r:4;".utf8))
    }

    @Test("reading leads along names, keys and members, through references")
    func paths() throws {
        let session =
            "s|a:1:{s:5:\"token\";O:4:\"User\":2:{s:5:\"\0*\0id\";i:7;s:7:\"\0User\0p\";a:1:{i:0;i:8;}}}t|R:2;u|r:2;"
        let document = try PHPDocument(Array(session.utf8), format: .php)
        #expect(try document.value("s", "token", "id") == 7)
        #expect(try document.value("t", "id") == 7)
        #expect(try document.value("u", "p", 0) == 8)
        #expect(try document.value("u", "p", "0") == 8)
        #expect(try document.value("u", "\0*\0id") == 7)
        #expect(try document.value("s", "other") == nil)
        #expect(try document.value("s", "token", "id", "x") == nil)
        #expect(try document.value("other") == nil)
    }

    @Test("a document inside a string is one of its own")
    func nested() throws {
        let vector = try #require(VectorTests.vectors.first { $0.id.contains("symfony") && $0.format == .php })
        var document = try PHPDocument(vector.bytes, format: .php)
        let token = try #require(try document.value("_sf2_attributes", "_security_main"))
        var inner = try token.nestedDocument()
        #expect(try inner.root().object?["b"] == "two")
        #expect(throws: PHPSerializationError.self) { try PHPValue(1).nestedDocument() }
        #expect(throws: PHPSerializationError.self) { try inner.set("x", to: 1) }
        inner = try PHPDocument(Array("a:1:{i:0;R:1;}".utf8), format: .serialize)
        try document.set("inner", to: PHPValue(bytes: inner.encoded()))
        #expect(try document.value("inner")?.nestedDocument().encoded() == inner.encoded())
    }

    @Test("text of other encodings goes back as it was, and is told from UTF-8")
    func encodings() throws {
        let latin: [UInt8] = Array("n|s:4:\"J".utf8) + [0xF3, 0xE9] + Array("x\";".utf8)
        let document = try PHPDocument(latin, format: .php)
        #expect(try document.value("n")?.string == nil)
        #expect(try document.value("n")?.bytes == [0x4A, 0xF3, 0xE9, 0x78])
        #expect(try document.encoded() == latin)
    }
}
