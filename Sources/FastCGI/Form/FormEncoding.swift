/// How a form's body is encoded, by its Content-Type.
enum FormEncoding: Equatable {
    case urlEncoded
    case multipart(boundary: [UInt8])

    /// - Throws: ``FormError``: 415 for a type that is no form, 400 for a multipart type without a usable boundary.
    init(contentType: String?) throws(FormError) {
        guard let contentType else { throw FormError(.unsupportedType(nil)) }
        guard let parsed = HeaderParameters(contentType.utf8) else {
            throw FormError(.malformed("its Content-Type cannot be parsed"))
        }
        switch parsed.value {
        case "application/x-www-form-urlencoded":
            // No charset: the encoding is UTF-8 (WHATWG URL, section 5).
            self = .urlEncoded
        case "multipart/form-data":
            guard let boundary = parsed["boundary"] else {
                throw FormError(.malformed("its Content-Type has no boundary"))
            }
            guard Self.isValid(boundary) else {
                throw FormError(.malformed("its boundary is not as RFC 2046, section 5.1.1, wants it"))
            }
            self = .multipart(boundary: boundary)
        default:
            throw FormError(.unsupportedType(parsed.value))
        }
    }

    /// 1 to 70 characters of `bchars`, the last one no space (RFC 2046, section 5.1.1).
    private static func isValid(_ boundary: [UInt8]) -> Bool {
        (1...70).contains(boundary.count) && boundary.last != UInt8(ascii: " ")
            && boundary.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default:
                    "'()+_,-./:=? ".utf8.contains(byte)
                }
            }
    }
}
