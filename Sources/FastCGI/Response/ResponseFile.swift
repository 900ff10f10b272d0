internal import Glibc

/// A regular file, opened to be sent.
struct ResponseFile: ~Copyable {
    let path: String
    let fd: Int32
    let length: Int

    init(path: String) throws(ResponseError) {
        // A FIFO in place of the file must not block the worker: hence O_NONBLOCK, which regular files ignore.
        let fd = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { throw ResponseError(.file(path: path, reason: String(cString: strerror(errno)))) }
        var status = stat()
        guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(fd)
            throw ResponseError(.file(path: path, reason: "it is not a regular file"))
        }
        self.path = path
        self.fd = fd
        length = Int(status.st_size)
    }

    deinit {
        close(fd)
    }

    /// Reads exactly `count` bytes into the beginning of `bytes`; a file that shrank meanwhile is an error.
    borrowing func read(into bytes: inout [UInt8], _ count: Int, from offset: Int) throws(ResponseError) {
        var done = 0
        while done < count {
            let more = bytes.withUnsafeMutableBytes {
                pread(fd, $0.baseAddress! + done, count - done, off_t(offset + done))
            }
            if more < 0, errno == EINTR { continue }
            guard more > 0 else {
                throw ResponseError(.file(path: path, reason: "it became shorter while it was sent"))
            }
            done += more
        }
    }
}
