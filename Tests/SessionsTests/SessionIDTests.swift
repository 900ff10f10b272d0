import Sessions
import Testing

@Suite("A session id")
struct SessionIDTests {
    @Test("is 43 characters that read back")
    func roundTrip() {
        for _ in 0..<200 {
            let id = SessionID.random()
            #expect(id.encoded.utf8.count == 43)
            #expect(id.encoded.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
            #expect(SessionID(id.encoded) == id)
            #expect(SessionID(bytes: id.bytes) == id)
        }
        #expect(SessionID.random() != SessionID.random())
    }

    @Test(
        "has the text that base64url says",
        arguments: [
            ([UInt8](repeating: 0, count: 32), String(repeating: "A", count: 43)),
            ([UInt8](repeating: 255, count: 32), String(repeating: "_", count: 42) + "8"),
            ([UInt8](0..<32), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
        ])
    func vectors(bytes: [UInt8], text: String) throws {
        let id = try #require(SessionID(bytes: bytes))
        #expect(id.encoded == text)
        #expect(SessionID(text)?.bytes == bytes)
    }

    @Test(
        "is not what differs from that form",
        arguments: [
            "", "A", String(repeating: "A", count: 42), String(repeating: "A", count: 44),
            // Trailing bits that belong to no byte.
            String(repeating: "A", count: 42) + "B", String(repeating: "A", count: 42) + "D",
            String(repeating: "A", count: 42) + "=", String(repeating: "A", count: 42) + "+",
            String(repeating: "A", count: 42) + "/", String(repeating: "A", count: 42) + "%",
            " " + String(repeating: "A", count: 42), String(repeating: "A", count: 41) + "é",
            String(repeating: "A", count: 20) + "\0" + String(repeating: "A", count: 22),
        ])
    func malformed(text: String) {
        #expect(SessionID(text) == nil)
    }

    @Test("never shows itself")
    func redacted() {
        let id = SessionID.random()
        var dumped = ""
        dump(id, to: &dumped)
        for text in ["\(id)", String(describing: [id]), String(reflecting: id), dumped] {
            #expect(!text.contains(id.encoded.prefix(8)))
            #expect(!text.contains(String(id.hashValue)))
        }
        #expect("\(id)" == "SessionID(redacted)")
    }

    // MARK: Foreign ids

    private static let php = "0123456789abcdefghijklmnop"

    @Test("of another program is its own text", arguments: [php, "A-,0" + php, String(repeating: "z", count: 256)])
    func foreign(text: String) throws {
        let id = try #require(SessionID(foreign: text.utf8))
        #expect(id.isForeign && id.encoded == text && id.bytes == Array(text.utf8))
        let same = try #require(SessionID(foreign: text.utf8))
        #expect(id == same && Set([id]).contains(same))
        #expect(id != SessionID(foreign: (text.dropLast() + "Q").utf8) && id != SessionID.random())
        #expect("\(id)" == "SessionID(redacted)")
    }

    @Test("of ours and one of another program are two, be their texts the same")
    func kinds() throws {
        let text = String(repeating: "A", count: 43)
        let (ours, foreign) = (try #require(SessionID(text)), try #require(SessionID(foreign: text.utf8)))
        #expect(ours.encoded == foreign.encoded && ours != foreign && foreign != ours)
    }

    @Test(
        "of another program has 22 to 256 characters of letters, digits, comma and minus",
        arguments: [
            "", String(repeating: "a", count: 21), String(repeating: "a", count: 257), php + "_", php + "/", php + "..",
            php + "\0", php + "é", php + " ", php + ";",
        ])
    func malformedForeign(text: String) {
        #expect(SessionID(foreign: text.utf8) == nil)
    }

    // MARK: What a store keeps

    @Test("has SHA-256 of its bytes for a digest")
    func digest() throws {
        let zeros = try #require(SessionID(bytes: [UInt8](repeating: 0, count: 32)))
        let text = zeros.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(text == "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925")
    }

    @Test("sealed with an old one is read with that one only, and shows nothing of the two")
    func sealed() throws {
        let foreign = ["0123456789abcdefghijkl", Self.php + "vwxyz", Self.php, String(repeating: "q", count: 256)]
        let ids =
            try (0..<4).map { _ in SessionID.random() } + foreign.map { try #require(SessionID(foreign: $0.utf8)) }
        for old in ids {
            for new in ids where new != old {
                let bytes = new.sealed(with: old)
                #expect(SessionID(sealed: bytes, with: old) == new)
                #expect(SessionID(sealed: bytes, with: .random()) != new)
                #expect(!bytes.starts(with: new.bytes.prefix(8)) && !bytes.starts(with: old.bytes.prefix(8)))
                #expect(new.isForeign || bytes.count == 32)
            }
        }
        #expect(SessionID(sealed: [], with: ids[0]) == nil)
        #expect(SessionID(sealed: [UInt8](repeating: 0, count: 31), with: ids[0]) == nil)
    }

    @Test("is the key of an HMAC-SHA256, as openssl makes it")
    func authenticationCode() throws {
        let zeros = try #require(SessionID(bytes: [UInt8](repeating: 0, count: 32)))
        let text = zeros.authenticationCode(of: []).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(text == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }
}
