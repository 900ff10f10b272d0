import GalletaPlatform
import Testing

@Suite struct UTF8TextTests {
    @Test(
        arguments: [
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0x80], [0xC3],
            [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0x61, 0xE9, 0x62],
        ] as [[UInt8]])
    func whatIsNotUTF8IsNoText(_ bytes: [UInt8]) {
        #expect(String(utf8: bytes) == nil)
        #expect(String(utf8: [0x61] + bytes + [0x62]) == nil)
    }

    @Test func itIsTheTextThatTheStandardLibraryMakes() {
        let pieces: [[UInt8]] = [
            [], [0], [0x7F], Array("ascii of more than sixteen bytes".utf8), Array("zoë".utf8), Array("e\u{301}".utf8),
            [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF], [0xEF, 0xBB, 0xBF], [0x80], [0xF0, 0x9F],
        ]
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...4)).flatMap { _ in pieces.randomElement()! }
            let (ours, theirs) = (String(utf8: bytes), String(validating: bytes, as: UTF8.self))
            #expect(ours.map { Array($0.utf8) } == theirs.map { Array($0.utf8) })
            #expect(String(utf8: bytes[...].lazy.map { $0 }) == theirs)
        }
    }
}
