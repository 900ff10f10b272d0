internal import Glibc
internal import Synchronization

public import struct GalletaPlatform.ByteString

/// A file of a `multipart/form-data` form.
///
/// Small ones are in memory, larger ones in a temporary file without a name (``FormLimits/fileMemoryThreshold``), which
/// is freed with the last reference to this object. To keep a file, ``move(to:permissions:)`` it.
///
/// All that describes the file is the client's word: choose the name to store it under yourself, and do not serve it
/// under ``contentType`` unchecked.
///
/// Threading: usable from any thread.
public final class UploadedFile: Sendable {
    enum Content: Sendable {
        case memory([UInt8])
        case disk(UnnamedFile)
    }

    /// Name of the form's field.
    public let name: ByteString
    /// The file's name as the client gave it, untrusted: without path components and control characters; may be empty,
    /// never `.` or `..`. It may still be long, hidden (`.htaccess`), or of any extension.
    ///
    /// It is the part's `filename`, decoded if it is an encoded word (RFC 2047). Where the client sends `filename*` (RFC
    /// 8187) too, that counts if `filename` is only its stand-in in ASCII: of the same extension, for a name that ASCII
    /// cannot write. So no filter before this server sees another extension than the handler.
    public let filename: String
    /// The media type that the client claims, untrusted; nil when it claims none.
    public let contentType: String?
    /// Length in bytes.
    public let size: Int

    private let content: Content
    private let wasMoved = Atomic<Bool>(false)

    init(head: PartHead, size: Int, content: Content) {
        name = head.name
        filename = Self.lastComponent(head.filename ?? "")
        contentType = head.contentType
        self.size = size
        self.content = content
    }

    /// The file is held in memory.
    var isInMemory: Bool {
        if case .memory = content { true } else { false }
    }

    /// Reads up to `buffer.count` bytes from `offset` on.
    ///
    /// - Returns: How many bytes were read; 0 only at the end of the file (or for an empty buffer).
    /// - Throws: ``FormError`` (500) when the disk fails.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FormError) -> Int {
        precondition(offset >= 0, "an offset is not negative")
        switch content {
        case .memory(let bytes):
            let range = min(offset, bytes.count)..<min(offset + buffer.count, bytes.count)
            buffer.copyBytes(from: bytes[range])
            return range.count
        case .disk(let file):
            return try file.read(into: buffer, at: offset)
        }
    }

    /// The file in memory, or its beginning, which tells what kind of file it is:
    ///
    ///     guard try photo.bytes(upTo: 3) == [0xff, 0xd8, 0xff] else { throw HTTPError(.badRequest, "send a JPEG file") }
    ///
    /// - Parameter limit: How many bytes at most, 0 or more. Without it check ``size`` first.
    /// - Throws: ``FormError`` (500) when the disk fails.
    public func bytes(upTo limit: Int = .max) throws(FormError) -> [UInt8] {
        let wanted = min(limit, size)
        if case .memory(let bytes) = content { return wanted == size ? bytes : Array(bytes[..<wanted]) }
        var bytes = [UInt8](repeating: 0, count: wanted)
        var filled = 0
        while filled < wanted {
            let count = try bytes.withUnsafeMutableBufferPointer { all throws(FormError) in
                try read(
                    into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: all[filled...])),
                    at: filled)
            }
            guard count > 0 else { throw FormError(.storage("an uploaded file became shorter on disk")) }
            filled += count
        }
        return bytes
    }

    /// Stores the file under a name; it can be read here further on.
    ///
    /// Nothing is overwritten. The name appears with the whole content at once wherever the file system has `O_TMPFILE`
    /// (ext4, xfs, btrfs, tmpfs). A file on the same file system is not copied. The content is not synced to the disk.
    ///
    /// - Parameters:
    ///   - path: Where to; never built from ``filename`` unchecked.
    ///   - permissions: The file's mode, the umask disregarded. Default 0600.
    /// - Throws: ``FormError`` (500) when it was moved before, something is there already
    ///   (``FormError/isDestinationExisting``), or the disk fails. After a failure it can be moved elsewhere.
    public func move(to path: String, permissions: UInt32 = 0o600) throws(FormError) {
        guard !path.utf8.contains(0) else { throw FormError(.storage("a path holds NUL")) }
        guard wasMoved.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { throw FormError(.alreadyMoved) }
        do throws(FormError) {
            if case .disk(let file) = content, try file.link(to: path, permissions: permissions) { return }
            if let copy = try? UnnamedFile(directory: Self.directory(of: path)) {
                try write { bytes, offset throws(FormError) in try copy.write(bytes, at: offset) }
                if try copy.link(to: path, permissions: permissions) { return }
            }
            try writeNamed(path, permissions)
        } catch {
            wasMoved.store(false, ordering: .releasing)
            throw error
        }
    }

    /// The way for file systems without O_TMPFILE: others may see the file grow.
    private func writeNamed(_ path: String, _ permissions: UInt32) throws(FormError) {
        let fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard fd >= 0 else {
            throw errno == EEXIST ? FormError(.destinationExists(path)) : UnnamedFile.failure("cannot make \(path)")
        }
        defer { close(fd) }
        do throws(FormError) {
            try write { bytes, offset throws(FormError) in
                var written = 0
                while written < bytes.count {
                    let count = pwrite(fd, bytes.baseAddress! + written, bytes.count - written, off_t(offset + written))
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { throw UnnamedFile.failure("cannot write \(path)") }
                    written += count
                }
            }
            guard fchmod(fd, permissions) == 0 else { throw UnnamedFile.failure("cannot set the mode of \(path)") }
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Hands the content on in pieces.
    private func write(
        _ body: (UnsafeRawBufferPointer, _ offset: Int) throws(FormError) -> Void
    ) throws(FormError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while offset < size {
            let count = try read(into: buffer, at: offset)
            guard count > 0 else { throw FormError(.storage("an uploaded file became shorter on disk")) }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]), offset)
            offset += count
        }
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
    }

    /// What stands behind the last slash or backslash (old browsers send the whole path).
    private static func lastComponent(_ path: String) -> String {
        // Bytes: a look at each scalar of a text beyond ASCII costs a thousand instructions.
        let bytes = Array(path.utf8)
        var index = bytes.lastIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }.map { $0 + 1 } ?? 0
        var visible: [UInt8] = []
        visible.reserveCapacity(bytes.count - index)
        while index < bytes.count {
            let byte = bytes[index]
            // U+0080 to U+009F, controls too.
            if byte == 0xc2, bytes[index + 1] < 0xa0 {
                index += 2
                continue
            }
            if byte >= 0x20, byte != 0x7f { visible.append(byte) }
            index += 1
        }
        let name = String(decoding: visible, as: UTF8.self)
        return name == "." || name == ".." ? "" : name
    }
}
