import GalletaPlatform
import Testing

@Suite struct ByteStringTests {
    static let composed: ByteString = "jos\u{e9}"
    static let decomposed: ByteString = "jose\u{301}"

    @Test func textsThatSwiftTakesForOneAreTwo() {
        #expect(Self.composed.string == Self.decomposed.string)
        #expect(Self.composed != Self.decomposed)
        #expect(Set([Self.composed, Self.decomposed, "jos\u{e9}"]).count == 2)
        #expect([Self.composed: 1][Self.decomposed] == nil)
    }

    @Test(arguments: [[], [0], [0x61, 0, 0x62], [0xff], [0xc3], [0x61, 0xe9], [0xc3, 0xa9], [0xef, 0xbf, 0xbd]])
    func anyBytesComeBackAsTheyWere(_ bytes: [UInt8]) {
        let name = ByteString(bytes: bytes)
        #expect(name.bytes == bytes)
        #expect(name.count == bytes.count)
        #expect(name == ByteString(bytes: bytes[...]))
        #expect((name.validString == nil) == (bytes.contains(0xff) || bytes == [0xc3] || bytes == [0x61, 0xe9]))
    }

    @Test func invalidBytesAreNotTheTextThatReplacesThem() {
        #expect(ByteString(bytes: [0xff]) != "\u{fffd}")
        #expect(ByteString(bytes: [0xff]).string == "\u{fffd}")
    }

    @Test func theSameBytesAreOneNameHoweverTheyCame() {
        let name = ByteString("user-\(17)")
        #expect(name == "user-17")
        #expect(name == ByteString(bytes: Array("user-17".utf8)))
        #expect(name == ByteString("a user-17".dropFirst(2)))
        #expect(name.hashValue == ByteString(bytes: Array("user-17".utf8)).hashValue)
    }

    @Test func orderIsThatOfTheBytes() {
        // Swift's String would put the two é beside each other.
        let sorted = [Self.composed, "josf", Self.decomposed, "jos", ByteString(bytes: [0xff])].sorted()
        #expect(sorted == ["jos", Self.decomposed, "josf", Self.composed, ByteString(bytes: [0xff])])
    }
}
