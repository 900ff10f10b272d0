import GalletaPlatform
import PHPSerialization
import Testing

@Suite("Changes of two writers")
struct MergeTests {
    private func merged(_ base: String, _ theirs: String, _ mine: String, _ format: PHPFormat = .php) throws -> String {
        let bytes = try PHPDocument.merged(
            Array(mine.utf8), since: Array(base.utf8), into: Array(theirs.utf8), format: format)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("each name has the last change to it")
    func names() throws {
        let base = "a|i:1;b|i:1;c|i:1;d|i:1;"
        #expect(try merged(base, "a|i:2;b|i:1;c|i:1;d|i:1;", "a|i:1;b|i:3;c|i:1;d|i:1;") == "a|i:2;b|i:3;c|i:1;d|i:1;")
        #expect(try merged(base, "b|i:1;c|i:1;d|i:1;e|i:5;", "a|i:1;b|i:1;d|i:1;f|i:6;") == "b|i:1;d|i:1;e|i:5;f|i:6;")
        #expect(try merged(base, "a|i:2;b|i:1;c|i:1;d|i:1;", "a|i:3;b|i:1;c|i:1;d|i:1;") == "a|i:3;b|i:1;c|i:1;d|i:1;")
        // Removed there, changed here; and the other way round.
        #expect(try merged(base, "b|i:1;c|i:1;d|i:1;", "a|i:3;b|i:1;c|i:1;d|i:1;") == "b|i:1;c|i:1;d|i:1;a|i:3;")
        #expect(try merged(base, "a|i:3;b|i:1;c|i:1;d|i:1;", "b|i:1;c|i:1;d|i:1;") == "b|i:1;c|i:1;d|i:1;")
        #expect(try merged("", "a|i:1;", "b|i:2;") == "a|i:1;b|i:2;")
        #expect(try merged("a:0:{}", "a:1:{i:1;i:1;}", "a:1:{i:2;i:2;}", .phpSerialize) == "a:2:{i:1;i:1;i:2;i:2;}")
        #expect(try merged("", "\u{1}ai:1;", "\u{1}bi:2;", .phpBinary) == "\u{1}ai:1;\u{1}bi:2;")
    }

    @Test("where one side changed nothing, the other's bytes are taken as they are")
    func oneSide() throws {
        #expect(try merged("a|i:+1;", "a|i:2;", "a|i:+1;") == "a|i:2;")
        #expect(try merged("a|i:1;", "a|i:1;", "a|i:+2;") == "a|i:+2;")
        #expect(try merged("a|C:1:\"S\":0:{}", "a|C:1:\"S\":0:{}", "b|i:1;") == "b|i:1;")
    }

    @Test("a value that shares things inside of itself is merged, with numbers anew")
    func inside() throws {
        let object = "O:1:\"A\":1:{s:1:\"p\";r:"
        #expect(
            try merged("a|i:1;", "a|i:1;n|a:1:{i:0;N;}", "a|i:1;o|\(object)2;}")
                == "a|i:1;n|a:1:{i:0;N;}o|\(object)4;}")
        #expect(
            try merged("a|i:1;o|\(object)2;}", "n|N;m|N;a|i:1;o|\(object)4;}", "a|i:2;o|\(object)2;}")
                == "n|N;m|N;a|i:2;o|\(object)4;}")
    }

    @Test("what shares something with another name stays as it is there, if nobody changed it here")
    func shared() throws {
        let pair = "o|O:1:\"A\":0:{}p|r:"
        #expect(try merged("\(pair)1;a|i:1;", "z|N;\(pair)2;a|i:1;", "\(pair)1;a|i:2;") == "z|N;\(pair)2;a|i:2;")
        #expect(try merged("\(pair)1;a|i:1;", "o|i:5;a|i:1;", "\(pair)1;a|i:2;") == "o|i:5;a|i:2;")
        let enums = "o|E:3:\"A:B\";p|r:1;"
        #expect(try merged(enums, enums + "q|N;", "o|E:3:\"A:B\";p|i:1;") == "o|E:3:\"A:B\";p|i:1;q|N;")
    }

    @Test(
        "a change that touches what others share is refused",
        arguments: [
            // base, theirs, mine
            ["o|O:1:\"A\":0:{}p|r:1;", "z|N;o|O:1:\"A\":0:{}p|r:2;", "o|i:1;"],
            ["o|i:1;p|i:1;", "z|N;o|i:1;p|i:1;", "o|i:1;p|R:1;"],
            ["o|i:1;p|i:1;", "o|i:2;p|R:1;", "o|i:1;p|i:3;"],
            ["o|i:1;p|i:1;", "o|i:2;p|R:1;", "o|i:1;"],
            ["o|O:1:\"A\":1:{i:0;i:1;}p|r:1;", "z|N;o|O:1:\"A\":1:{i:0;i:1;}p|r:2;", "o|O:1:\"A\":1:{i:0;i:2;}p|r:1;"],
            ["o|i:1;", "o|i:1;s|C:1:\"S\":0:{}", "o|i:2;"],
            ["o|i:1;s|C:1:\"S\":0:{}", "o|i:1;", "o|i:2;s|C:1:\"S\":0:{}"],
        ])
    func refused(texts: [String]) {
        let error = #expect(throws: PHPSerializationError.self) { try merged(texts[0], texts[1], texts[2]) }
        #expect(error?.code == .change)
    }

    @Test("what shares the array of all names cannot be merged")
    func root() {
        let own = "a:2:{s:1:\"a\";i:1;s:1:\"s\";R:1;}"
        let error = #expect(throws: PHPSerializationError.self) {
            try merged("a:1:{s:1:\"a\";i:1;}", own, "a:1:{s:1:\"a\";i:2;}", .phpSerialize)
        }
        #expect(error?.code == .change)
    }

    @Test("bytes that cannot be read are no matter of merging")
    func unreadable() {
        let error = #expect(throws: PHPSerializationError.self) { try merged("a|i:1;", "a|i:", "a|i:2;") }
        #expect(error?.code == .syntax)
    }
}
