import Foundation
import GalletaPlatform
import PHPSerialization

extension [UInt8] {
    /// Of hex digits.
    init(hex: some StringProtocol) {
        self = []
        var high: UInt8?
        for byte in hex.utf8 {
            if let first = high { append(first << 4 | Self.digit(byte)) }
            high = high == nil ? Self.digit(byte) : nil
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8 { byte < 0x40 ? byte - 0x30 : (byte | 0x20) - 0x57 }

    /// To be shown.
    var text: String { String(decoding: map { $0 == 0 ? UInt8(ascii: "~") : $0 }, as: UTF8.self) }
}

/// The path of a file beside the tests.
func testFile(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/" + name
}

func bytes(of name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: testFile(name)))) }

extension PHPFormat {
    static let sessionFormats: [PHPFormat] = [.php, .phpBinary, .phpSerialize]
}
