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

    /// Sends some of `count` bytes from `offset` on; a file that shrank meanwhile is an error.
    ///
    /// - Returns: How many the connection took, or -1 with errno: EAGAIN when it takes none for now.
    borrowing func send(to socket: Int32, _ count: Int, from offset: Int) throws(ResponseError) -> Int {
        var position = off_t(offset)
        var sent = sendfile(socket, fd, &position, count)
        // Not all file systems can do that.
        if sent < 0, errno == EINVAL { sent = copy(to: socket, count, from: offset) }
        if sent < 0, errno == EIO {
            throw ResponseError(.file(path: path, reason: String(cString: strerror(EIO))))
        }
        guard sent != 0 else { throw ResponseError(.file(path: path, reason: "it became shorter while it was sent")) }
        return sent
    }

    private borrowing func copy(to socket: Int32, _ count: Int, from offset: Int) -> Int {
        withUnsafeTemporaryAllocation(byteCount: min(count, 64 << 10), alignment: 16) { block in
            let taken = pread(fd, block.baseAddress!, block.count, off_t(offset))
            guard taken > 0 else { return taken }
            return Glibc.send(socket, block.baseAddress!, taken, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        }
    }
}
