internal import GalletaPlatform

/// Where a redirect leads, checked and as the `Location` field has it (RFC 9110, section 10.2.2).
///
/// Bytes decide, not characters: browsers read bytes.
struct RedirectTarget {
    /// An ASCII URI reference.
    let location: String

    /// A target on the same site: an absolute path with an optional query and fragment.
    init(sameSite target: String) throws(ResponseError) {
        var target = target
        let bytes = target.withUTF8 { Array($0) }
        guard bytes.first == UInt8(ascii: "/") else {
            throw Self.refused("it is no path that starts with \"/\"; another site is a redirect(toExternal:)")
        }
        try Self.checkCharacters(bytes)
        let path = bytes.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        // What decodes to these counts, too: a server or a script on the way may decode once more.
        let decoded = PercentCoding.decode(path)
        if decoded.count > 1, decoded[1] == UInt8(ascii: "/") {
            throw Self.refused("browsers take what starts with \"//\" for another site")
        }
        guard decoded.allSatisfy({ $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\\") }) else {
            throw Self.refused("its path holds an encoded backslash or control character")
        }
        location = Self.encoded(bytes)
    }

    /// A target anywhere: an absolute URL of `http` or `https`.
    init(external target: String) throws(ResponseError) {
        var target = target
        let bytes = target.withUTF8 { Array($0) }
        try Self.checkCharacters(bytes)
        let schemes = ["https://", "http://"].map { Array($0.utf8) }
        let lowered = bytes.prefix(8).map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        guard let scheme = schemes.first(where: { lowered.starts(with: $0) }) else {
            throw Self.refused("it starts with neither \"https://\" nor \"http://\"")
        }
        let authority = bytes[scheme.count...].prefix {
            $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
        }
        guard let first = authority.first, first != UInt8(ascii: ":") else { throw Self.refused("it names no host") }
        guard authority.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "%") }) else {
            throw Self.refused("its host is not ASCII; write it in the form \"xn--…\"")
        }
        // RFC 9110, section 4.2.4: it serves to disguise the host.
        guard !authority.contains(UInt8(ascii: "@")) else { throw Self.refused("it holds a user name") }
        location = Self.encoded(bytes)
    }

    private static func refused(_ reason: String) -> ResponseError {
        ResponseError(.redirect(reason))
    }

    private static func checkCharacters(_ bytes: [UInt8]) throws(ResponseError) {
        for byte in bytes {
            switch byte {
            case 0x20: throw refused("it holds a blank; write \"%20\"")
            case ..<0x20, 0x7f: throw refused("it holds a control character")
            case UInt8(ascii: "\\"): throw refused("it holds a backslash, which browsers take for a slash")
            default: break
            }
        }
    }

    /// Encodes what no URI may hold (RFC 3986, appendix A) and RFC 3987 lets people write.
    private static func encoded(_ bytes: [UInt8]) -> String {
        PercentCoding.encode(bytes) { byte in
            switch byte {
            case 0x80..., UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "^"),
                UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
                false
            default: true
            }
        }
    }
}
