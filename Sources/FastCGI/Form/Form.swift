/// A form that a client sent: fields and files.
public struct Form: Sendable {
    /// An uploaded file and the name of its field.
    public typealias NamedFile = (name: String, file: UploadedFile)

    /// The fields that are no files.
    public private(set) var fields = FormFields()
    /// The uploaded files, in the order sent.
    public private(set) var files: [NamedFile] = []

    /// The first file of a field.
    public func file(_ name: String) -> UploadedFile? {
        files.first { $0.name == name }?.file
    }

    /// Reads a form to its end.
    ///
    /// - Parameters:
    ///   - contentType: The body's media type.
    ///   - limits: What the form may hold.
    ///   - source: Gives the next bytes of the body, 0 at its end.
    /// - Throws: ``FormError``, or what `source` throws.
    static func parse(
        contentType: String?,
        limits: FormLimits,
        source: (UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> Form {
        let type = MediaType(contentType ?? "")
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var form = Form()
        switch type.value {
        case "application/x-www-form-urlencoded":
            var bytes: [UInt8] = []
            while case let count = try source(buffer), count > 0 { bytes.append(contentsOf: buffer[..<count]) }
            form.fields = try FormFields(urlEncoded: bytes, limits: limits)
        case "multipart/form-data":
            var parser = try MultipartParser(boundary: type.parameters["boundary"])
            var assembly = FormAssembly(limits: limits)
            while case let count = try source(buffer), count > 0 {
                try parser.consume(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { try assembly.take($0) }
            }
            try parser.finish()
            form.fields = assembly.fields
            form.files = assembly.files
        default:
            throw FormError(.unsupportedType(contentType.map { "\"\($0)\"" } ?? "not given"))
        }
        return form
    }
}
