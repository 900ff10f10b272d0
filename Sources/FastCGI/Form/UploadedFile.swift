internal import Glibc

/// A file that a client uploaded: in memory when small, else on disk without a name, gone when the last reference is.
///
/// Threading: usable from any thread.
public final class UploadedFile: Sendable {
    private enum Content: Sendable {
        case memory([UInt8])
        /// Owned: closed in deinit.
        case disk(fd: Int32, size: Int)
    }

    /// The name that the client gave, without folders. Never use it as a path of yours: it is the client's word.
    public let filename: String
    /// The media type that the client claims.
    public let contentType: String?
    private let content: Content

    init(filename: String, contentType: String?, memory: [UInt8]) {
        self.filename = filename
        self.contentType = contentType
        content = .memory(memory)
    }

    /// Takes over an open, readable descriptor.
    init(filename: String, contentType: String?, fd: Int32, size: Int) {
        self.filename = filename
        self.contentType = contentType
        content = .disk(fd: fd, size: size)
    }

    deinit {
        if case .disk(let fd, _) = content { close(fd) }
    }

    /// Bytes.
    public var size: Int {
        switch content {
        case .memory(let bytes): bytes.count
        case .disk(_, let size): size
        }
    }

    /// Whether it was large enough to go to disk.
    public var isOnDisk: Bool {
        if case .disk = content { true } else { false }
    }

    /// Reads from `offset` on; returns how many bytes, 0 at the end.
    ///
    /// - Throws: ``FormError`` if the disk fails.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FormError) -> Int {
        switch content {
        case .memory(let bytes):
            guard offset < bytes.count else { return 0 }
            let count = min(buffer.count, bytes.count - offset)
            buffer.copyBytes(from: bytes[offset..<offset + count])
            return count
        case .disk(let fd, _):
            while true {
                let count = pread(fd, buffer.baseAddress!, buffer.count, off_t(offset))
                if count >= 0 { return count }
                guard errno == EINTR else { throw FormError(.storage(String(cString: strerror(errno)))) }
            }
        }
    }

    /// All bytes, in memory.
    ///
    /// - Throws: ``FormError`` if the disk fails.
    public func bytes() throws(FormError) -> [UInt8] {
        if case .memory(let bytes) = content { return bytes }
        var all = [UInt8](repeating: 0, count: size)
        var offset = 0
        while offset < all.count {
            let count = try all[offset...].withUnsafeMutableBufferPointer { buffer throws(FormError) in
                try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            }
            guard count > 0 else { throw FormError(.storage("it became shorter")) }
            offset += count
        }
        return all
    }

    /// Writes a copy to a new file; one that exists is never overwritten.
    ///
    /// - Parameters:
    ///   - path: A path of yours, not the client's name.
    ///   - mode: Its permissions. Default 0600.
    /// - Throws: ``FormError`` if the file exists or cannot be written; nothing is left behind.
    public func save(to path: String, mode: UInt32 = 0o600) throws(FormError) {
        let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode))
        guard target >= 0 else { throw FormError(.storage("\(path): \(String(cString: strerror(errno)))")) }
        do throws(FormError) {
            defer { close(target) }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
            defer { buffer.deallocate() }
            var offset = 0
            while true {
                let count = try read(into: buffer, at: offset)
                if count == 0 { break }
                try Self.writeAll(target, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                offset += count
            }
        } catch {
            unlink(path)
            throw error
        }
    }

    static func writeAll(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) throws(FormError) {
        var offset = 0
        while offset < bytes.count {
            let count = write(fd, bytes.baseAddress! + offset, bytes.count - offset)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FormError(.storage(String(cString: strerror(errno)))) }
            offset += count
        }
    }
}
