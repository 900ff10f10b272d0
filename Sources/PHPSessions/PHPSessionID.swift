package import GalletaPlatform
internal import Sessions

/// The id of a session of PHP: 1 to 256 letters, digits, commas and hyphens, as PHP's own stores accept.
///
/// Any other text of a client could name another file or key. PHP's length differs from site to site: Debian's older
/// ones have 26 characters, new ones 32.
package struct PHPSessionID: Hashable, Sendable {
    /// The characters, ASCII only.
    package let text: String

    /// - Returns: nil for text that PHP would not accept.
    package init?(_ text: ByteString) {
        let isValid = text.withUnsafeBytes { bytes in
            (1...256).contains(bytes.count)
                && bytes.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2C, 0x2D: true
                    default: false
                    }
                }
        }
        guard isValid else { return nil }
        self.text = text.string
    }

    /// - Returns: nil for an id of the library's own kind.
    init?(_ id: SessionID) {
        guard id.isForeign else { return nil }
        self.init(ByteString(bytes: id.bytes))
    }
}

extension SessionIDFormat {
    /// PHP's ids: 32 characters of 160 random bits. Cookies are percent-decoded, as PHP does.
    static var php: SessionIDFormat {
        var format = SessionIDFormat(
            parse: { SessionID(foreign: PercentCoding.decode($0)) },
            // As PHP draws with `sid_bits_per_character = 5`.
            draw: {
                let alphabet = Array("0123456789abcdefghijklmnopqrstuv".utf8)
                return SessionID(foreign: SessionID.random().bytes.map { alphabet[Int($0 & 31)] })!
            })
        format.takesFirstCookieOnly = true
        return format
    }
}

/// Nothing of a secret goes into a log by accident.
extension PHPSessionID: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String { "a session id of \(text.utf8.count) characters" }
    package var debugDescription: String { description }
}
