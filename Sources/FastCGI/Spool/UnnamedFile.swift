internal import CPlatform
internal import Glibc

/// A temporary file without a name: the kernel frees it when this object goes, or the process ends.
///
/// Threading: reads from any thread; writes from the one that fills it, before it is shared.
final class UnnamedFile: Sendable {
    /// The descriptor, for libfcgi to read the body from.
    let fd: Int32

    /// - Throws: ``FormError`` (500) when none can be made there.
    init(directory: String) throws(FormError) {
        fd = cplatform_open_temporary(directory)
        guard fd >= 0 else { throw Self.failure("cannot make a temporary file in \(directory)") }
    }

    deinit {
        close(fd)
    }

    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FormError) {
        var written = 0
        while written < bytes.count {
            let count = pwrite(fd, bytes.baseAddress! + written, bytes.count - written, off_t(offset + written))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("cannot write an uploaded file") }
            written += count
        }
    }

    /// Reads up to `buffer.count` bytes at `offset`; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FormError) -> Int {
        guard let base = buffer.baseAddress, !buffer.isEmpty else { return 0 }
        while true {
            let count = pread(fd, base, buffer.count, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("cannot read an uploaded file") }
            return count
        }
    }

    /// Gives the file a name.
    ///
    /// - Returns: False when that is not possible there, as on another file system: copy it then.
    func link(to path: String, permissions: UInt32) throws(FormError) -> Bool {
        guard fchmod(fd, permissions) == 0 else { return false }
        if cplatform_link_temporary(fd, path) == 0 { return true }
        if errno == EEXIST { throw FormError(.destinationExists(path)) }
        return false
    }

    /// An error of the system, with errno's text.
    static func failure(_ what: String) -> FormError {
        FormError(.storage("\(what): \(String(cString: strerror(errno)))"))
    }
}
