internal import struct GalletaPlatform.ByteString

/// Puts the parts of a form together within its limits.
struct FormCollector {
    private let charset: FormCharset
    private let limits: FormLimits
    private var form = Form()
    private var fieldBytes = 0
    private var emptyFileInputs = 0
    private var part: Part?

    /// The part that is being received.
    private struct Part {
        let head: PartHead
        var size = 0
        /// All of it, unless it is on disk.
        var memory: [UInt8] = []
        var disk: UnnamedFile?
    }

    /// - Parameters:
    ///   - charset: Of fields that name none themselves.
    ///   - limits: How much is accepted.
    init(charset: FormCharset, limits: FormLimits) {
        self.charset = charset
        self.limits = limits
    }

    /// A part begins.
    mutating func begin(_ head: PartHead) throws(FormError) {
        if let filename = head.filename, !filename.isEmpty {
            try checkFileCount()
        } else {
            // A file input that was left empty counts as a field, so that their number is bounded too.
            guard form.fields.count + emptyFileInputs < limits.maxFields else {
                throw FormError(.tooManyFields(limit: limits.maxFields))
            }
        }
        if head.filename == nil { try addFieldBytes(head.name.count) }
        part = Part(head: head)
    }

    /// The part goes on.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FormError) {
        guard var current = part.take() else { preconditionFailure("content outside of a part") }
        if current.head.filename == nil {
            try addFieldBytes(bytes.count)
            current.memory.append(contentsOf: bytes)
        } else {
            if current.disk == nil, current.size + bytes.count > limits.fileMemoryThreshold {
                let disk = try UnnamedFile(directory: limits.temporaryDirectory)
                try Self.write(current.memory, to: disk)
                current.memory = []
                current.disk = disk
            }
            if let disk = current.disk {
                try disk.write(bytes, at: current.size)
            } else {
                current.memory.append(contentsOf: bytes)
            }
        }
        current.size += bytes.count
        part = current
    }

    /// The part is complete.
    mutating func end() throws(FormError) {
        guard let complete = part.take() else { preconditionFailure("the end of no part") }
        guard let filename = complete.head.filename else {
            form.fields.append(
                complete.head.name, (complete.head.charset ?? charset).text(complete.memory))
            return
        }
        if filename.isEmpty, complete.size == 0 {
            emptyFileInputs += 1
            return
        }
        try checkFileCount()
        let content = complete.disk.map { UploadedFile.Content.disk($0) } ?? .memory(complete.memory)
        form.files.append(UploadedFile(head: complete.head, size: complete.size, content: content))
    }

    /// The form, when its last part is complete.
    consuming func finish() -> Form { form }

    private func checkFileCount() throws(FormError) {
        guard form.files.count < limits.maxFiles else { throw FormError(.tooManyFiles(limit: limits.maxFiles)) }
    }

    private mutating func addFieldBytes(_ count: Int) throws(FormError) {
        fieldBytes += count
        guard fieldBytes <= limits.maxFieldBytes else {
            throw FormError(.fieldsTooLarge(limit: limits.maxFieldBytes))
        }
    }

    private static func write(_ bytes: [UInt8], to disk: UnnamedFile) throws(FormError) {
        try bytes.withUnsafeBufferPointer { bytes throws(FormError) in
            try disk.write(UnsafeRawBufferPointer(bytes), at: 0)
        }
    }
}
