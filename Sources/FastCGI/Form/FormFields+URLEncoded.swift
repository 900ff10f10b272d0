internal import struct GalletaPlatform.ByteString

extension FormFields {
    /// Parses `application/x-www-form-urlencoded` (WHATWG URL, section 5.1).
    ///
    /// Nothing is malformed there: see ``PercentCoding/decodeField(_:)``.
    ///
    /// - Throws: ``FormError`` when there are more fields than ``FormLimits/maxFields``, or more bytes, as they were
    ///   sent, than ``FormLimits/maxFieldBytes``.
    init(urlEncoded bytes: [UInt8], charset: FormCharset = .utf8, limits: FormLimits) throws(FormError) {
        self.init()
        try append(urlEncoded: bytes, charset: charset, limits: limits)
    }

    /// As ``init(urlEncoded:charset:limits:)``; when it throws, the fields below the limit have been added.
    mutating func append(
        urlEncoded bytes: [UInt8], charset: FormCharset = .utf8, limits: FormLimits
    ) throws(FormError) {
        guard bytes.count <= limits.maxFieldBytes else { throw FormError(.fieldsTooLarge(limit: limits.maxFieldBytes)) }
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "&")) ?? bytes.count
            if end > start {
                guard count < limits.maxFields else { throw FormError(.tooManyFields(limit: limits.maxFields)) }
                let field = bytes[start..<end]
                let equals = field.firstIndex(of: UInt8(ascii: "=")) ?? end
                append(
                    charset.name(PercentCoding.decodeField(field[..<equals])),
                    charset.text(PercentCoding.decodeField(field[equals...].dropFirst()))
                )
            }
            start = end + 1
        }
    }

    /// The fields as a query or a body of `application/x-www-form-urlencoded`, ASCII only.
    public var urlEncoded: String {
        var encoded: [UInt8] = []
        for (name, value) in self {
            if !encoded.isEmpty { encoded.append(UInt8(ascii: "&")) }
            name.withUnsafeBytes { PercentCoding.encodeField($0, into: &encoded) }
            encoded.append(UInt8(ascii: "="))
            PercentCoding.encodeField(value.utf8, into: &encoded)
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
