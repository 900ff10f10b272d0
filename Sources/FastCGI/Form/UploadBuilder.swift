internal import CPlatform
internal import Glibc

/// Gathers one uploaded file: in memory up to the threshold, then in a file without a name.
struct UploadBuilder: ~Copyable {
    private let limits: FormLimits
    private var memory: [UInt8] = []
    private var fd: Int32 = -1
    private var size = 0

    init(limits: FormLimits) {
        self.limits = limits
    }

    deinit {
        if fd >= 0 { close(fd) }
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FormError) {
        size += bytes.count
        if fd < 0 {
            guard size > limits.memoryThreshold else {
                memory.append(contentsOf: bytes)
                return
            }
            fd = try Self.open(limits.temporaryFolder)
            try memory.withUnsafeBufferPointer { buffer throws(FormError) in
                try UploadedFile.writeAll(fd, UnsafeRawBufferPointer(buffer))
            }
            memory = []
        }
        try UploadedFile.writeAll(fd, bytes)
    }

    consuming func finish(filename: String, contentType: String?) -> UploadedFile {
        guard fd >= 0 else { return UploadedFile(filename: filename, contentType: contentType, memory: memory) }
        let fd = fd
        self.fd = -1
        return UploadedFile(filename: filename, contentType: contentType, fd: fd, size: size)
    }

    /// A file that has no name from the start, or loses it at once where the file system knows no such files.
    private static func open(_ folder: String?) throws(FormError) -> Int32 {
        let folder = folder ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let fd = cplatform_open_temporary(folder)
        guard fd >= 0 else {
            throw FormError(.storage("\(folder): \(String(cString: strerror(errno)))"))
        }
        return fd
    }
}
