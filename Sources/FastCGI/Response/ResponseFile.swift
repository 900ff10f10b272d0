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

    /// Sends exactly `length` bytes; a file that shrank meanwhile is an error.
    borrowing func send(to output: ResponseOutput) throws(ResponseError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ResponseOutput.recordSize, alignment: 16)
        defer { buffer.deallocate() }
        var sent = 0
        while sent < length {
            let count = pread(fd, buffer.baseAddress!, min(buffer.count, length - sent), off_t(sent))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw ResponseError(.file(path: path, reason: "it became shorter while it was sent"))
            }
            try output.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            sent += count
        }
    }
}
