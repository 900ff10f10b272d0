public import struct GalletaPlatform.ByteString

/// What a form's body holds.
///
///     let form = try request.form()
///     let title = form.fields["title"] ?? ""
///     try form.file("photo")?.move(to: "/srv/photos/\(id)")
public struct Form: Sendable {
    /// The text fields, in order.
    public internal(set) var fields = FormFields()
    /// The files, in order; empty for `application/x-www-form-urlencoded`. A file input that was left empty is no file.
    public internal(set) var files: [UploadedFile] = []

    /// The first file of this field; nil when there is none.
    public func file(_ name: ByteString) -> UploadedFile? {
        files.first { $0.name == name }
    }

    /// Parses a body of `application/x-www-form-urlencoded` (WHATWG URL) or `multipart/form-data` (RFC 7578).
    ///
    /// Text is UTF-8 unless a charset of the Content-Type, or of a part's, says ISO-8859-1; what is invalid becomes
    /// U+FFFD. Any other charset is refused, rather than its text damaged. Memory is bounded by `limits`.
    ///
    /// - Parameters:
    ///   - contentType: The request's Content-Type.
    ///   - limits: How much is accepted.
    ///   - source: Writes some of the body into the buffer and returns the number of bytes; 0 at the body's end. It is
    ///     called until then, unless the form is refused.
    /// - Throws: ``FormError`` for a body that is no form (400, 415), one over the limits (413), and when a file could
    ///   not be stored (500); what `source` throws.
    public static func parse(
        contentType: String?,
        limits: FormLimits = FormLimits(),
        source: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> Form {
        switch try FormEncoding(contentType: contentType) {
        case .urlEncoded(let charset):
            return try urlEncoded(charset, limits: limits, source: source)
        case .multipart(let boundary, let charset):
            return try multipart(boundary: boundary, charset, limits: limits, source: source)
        }
    }

    private static func urlEncoded(
        _ charset: FormCharset, limits: FormLimits, source: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> Form {
        var body: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = try chunk.withUnsafeMutableBytes(source)
            if count == 0 { break }
            guard body.count + count <= limits.maxFieldBytes else {
                throw FormError(.fieldsTooLarge(limit: limits.maxFieldBytes))
            }
            body.append(contentsOf: chunk[..<count])
        }
        var form = Form()
        form.fields = try FormFields(urlEncoded: body, charset: charset, limits: limits)
        return form
    }

    private static func multipart(
        boundary: [UInt8], _ charset: FormCharset, limits: FormLimits,
        source: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> Form {
        var parser = MultipartParser(boundary: boundary)
        var collector = FormCollector(charset: charset, limits: limits)
        while true {
            switch try parser.next() {
            case .needsInput:
                if try !parser.fill(source) { parser.finish() }
            case .began(let head):
                try collector.begin(head)
            case .bytes(let range):
                try parser.withBytes(range) { try collector.append($0) }
            case .ended:
                try collector.end()
            case .finished:
                return collector.finish()
            }
        }
    }
}
