/// How a form's body is encoded, by its Content-Type.
enum FormEncoding: Equatable {
    case urlEncoded(FormCharset)
    case multipart(boundary: [UInt8], FormCharset)

    /// - Throws: ``FormError``: 415 for a type that is no form, or a charset that is not known, 400 for a multipart type
    ///   without a usable boundary.
    init(contentType: String?) throws(FormError) {
        guard let contentType else { throw FormError(.unsupportedType(nil)) }
        let parsed: HeaderParameters
        do throws(HeaderParameters.Failure) {
            parsed = try HeaderParameters(contentType.utf8)
        } catch {
            throw FormError(.malformed("its Content-Type \(error.reason)"))
        }
        switch parsed.value {
        case "application/x-www-form-urlencoded":
            self = .urlEncoded(try parsed.charset())
        case "multipart/form-data":
            guard let boundary = parsed["boundary"] else {
                throw FormError(.malformed("its Content-Type has no boundary"))
            }
            guard Self.isValid(boundary) else {
                throw FormError(
                    .malformed(
                        "its boundary is longer than \(Self.maxBoundaryBytes) bytes, ends with a space or holds a forbidden "
                            + "character"))
            }
            self = .multipart(boundary: boundary, try parsed.charset())
        default:
            throw FormError(.unsupportedType(parsed.value))
        }
    }

    /// Longest boundary in bytes. RFC 2046, section 5.1.1, allows 70; some phones send more.
    static let maxBoundaryBytes = 256

    /// The characters of RFC 2046, section 5.1.1, and of tokens, among them the `*` that phones send; the last one is no
    /// space.
    private static func isValid(_ boundary: [UInt8]) -> Bool {
        (1...maxBoundaryBytes).contains(boundary.count) && boundary.last != UInt8(ascii: " ")
            && boundary.allSatisfy { HeaderParameters.isTokenByte($0) || "(),/:=? ".utf8.contains($0) }
    }
}

extension HeaderParameters {
    /// The charset of a Content-Type: UTF-8 unless it says otherwise.
    ///
    /// - Throws: ``FormError`` (415) for one that is not known.
    func charset() throws(FormError) -> FormCharset {
        guard let name = self["charset"] else { return .utf8 }
        guard let charset = FormCharset(name: name) else {
            throw FormError(.unsupportedCharset(String(decoding: name, as: UTF8.self)))
        }
        return charset
    }
}
