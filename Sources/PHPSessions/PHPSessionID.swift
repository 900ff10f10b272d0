package import GalletaPlatform

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
}

/// Nothing of a secret goes into a log by accident.
extension PHPSessionID: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String { "a session id of \(text.utf8.count) characters" }
    package var debugDescription: String { description }
}
