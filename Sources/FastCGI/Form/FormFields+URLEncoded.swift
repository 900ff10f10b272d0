extension FormFields {
    /// Parses `application/x-www-form-urlencoded` (URL Standard, section 5.1).
    ///
    /// As browsers' servers do it nothing is malformed: a broken escape stands for itself, invalid UTF-8 becomes U+FFFD.
    ///
    /// - Throws: ``FormError`` (413) for more fields or a larger one than the limits allow.
    init(urlEncoded bytes: [UInt8], limits: FormLimits) throws(FormError) {
        self.init()
        for pair in bytes.split(separator: UInt8(ascii: "&")) {
            let name = pair.prefix { $0 != UInt8(ascii: "=") }
            let value = pair.dropFirst(name.count + 1)
            guard value.count <= limits.maxFieldBytes, name.count <= limits.maxFieldBytes else {
                throw FormError(.tooLarge("a field has more than \(limits.maxFieldBytes) bytes"))
            }
            try append(Self.decode(name), Self.decode(value), limits: limits)
        }
    }

    private static func decode(_ bytes: ArraySlice<UInt8>) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "+"):
                decoded.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard index + 1 < bytes.endIndex, let high = HexDigit.value(bytes[index]),
                    let low = HexDigit.value(bytes[index + 1])
                else {
                    decoded.append(byte)
                    continue
                }
                decoded.append(high << 4 | low)
                index += 2
            default:
                decoded.append(byte)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
