/// Puts the parts of a multipart body together into fields and files, within the limits.
struct FormAssembly: ~Copyable {
    private let limits: FormLimits
    private(set) var fields = FormFields()
    private(set) var files: [Form.NamedFile] = []
    private var name = ""
    private var filename: String?
    private var contentType: String?
    private var value: [UInt8] = []
    private var upload: UploadBuilder?

    init(limits: FormLimits) {
        self.limits = limits
    }

    mutating func take(_ event: MultipartParser.Event) throws(FormError) {
        switch event {
        case .part(let disposition, let type):
            name = disposition.parameters["name"] ?? ""
            // `filename*` is forbidden here (RFC 7578, section 4.2) and not looked at.
            filename = disposition.parameters["filename"].map(Self.withoutFolders)
            contentType = type
            value = []
            if filename != nil {
                guard files.count < limits.maxFiles else {
                    throw FormError(.tooLarge("it has more than \(limits.maxFiles) files"))
                }
                upload = UploadBuilder(limits: limits)
            }
        case .content(let bytes):
            if filename != nil {
                try upload?.append(bytes)
            } else {
                guard value.count + bytes.count <= limits.maxFieldBytes else {
                    throw FormError(.tooLarge("a field has more than \(limits.maxFieldBytes) bytes"))
                }
                value.append(contentsOf: bytes)
            }
        case .end:
            if let filename {
                guard let builder = upload.take() else { return }
                files.append((name, builder.finish(filename: filename, contentType: contentType)))
            } else {
                try fields.append(name, String(decoding: value, as: UTF8.self), limits: limits)
            }
        }
    }

    /// Old browsers send whole paths, of either kind.
    private static func withoutFolders(_ filename: String) -> String {
        let last = filename.utf8.split(omittingEmptySubsequences: false) { $0 == 0x2f || $0 == 0x5c }.last
        return last.flatMap { String($0) } ?? ""
    }
}
