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
}
