internal import struct GalletaPlatform.ByteString

/// How the text of a form is encoded, where a client names a charset for it.
///
/// Browsers send UTF-8 and name nothing (WHATWG URL, section 5; RFC 7578, section 5.1). Java clients name ISO-8859-1
/// unless told otherwise. Other charsets are refused: taken for UTF-8 their text would be stored damaged.
enum FormCharset: Equatable {
    /// UTF-8, and US-ASCII with it.
    case utf8
    /// ISO-8859-1.
    case latin1

    /// The charset of a name as clients write it: in any case, in single quotes or without; nil for one that is not known.
    init?(name: some Collection<UInt8>) {
        var name = String(decoding: name, as: UTF8.self).lowercased()
        if name.utf8.count > 1, name.hasPrefix("'"), name.hasSuffix("'") { name = String(name.dropFirst().dropLast()) }
        switch name {
        case "utf-8", "utf8", "us-ascii", "ascii": self = .utf8
        case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1": self = .latin1
        default: return nil
        }
    }

    /// The text; what is invalid becomes U+FFFD.
    func text(_ bytes: some Collection<UInt8>) -> String {
        switch self {
        case .utf8: String(decoding: bytes, as: UTF8.self)
        case .latin1: String(decoding: Self.utf8(latin1: bytes), as: UTF8.self)
        }
    }

    /// The name of a field: what is no valid text stays the bytes that were sent.
    func name(_ bytes: some Collection<UInt8>) -> ByteString {
        switch self {
        case .utf8: ByteString(bytes: bytes)
        case .latin1: ByteString(text(bytes))
        }
    }

    /// The text; nil when it is invalid.
    func validText(_ bytes: some Collection<UInt8>) -> String? {
        switch self {
        case .utf8: String(utf8: bytes)
        case .latin1: text(bytes)
        }
    }

    private static func utf8(latin1 bytes: some Collection<UInt8>) -> [UInt8] {
        var utf8: [UInt8] = []
        utf8.reserveCapacity(bytes.count)
        for byte in bytes {
            if byte < 0x80 {
                utf8.append(byte)
            } else {
                utf8.append(0xc0 | byte >> 6)
                utf8.append(0x80 | byte & 0x3f)
            }
        }
        return utf8
    }
}
