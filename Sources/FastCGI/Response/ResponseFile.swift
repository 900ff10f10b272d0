internal import Glibc

/// A regular file, opened to be sent: what is put in its place afterwards does not change the answer.
///
///     let file = try ResponseFile(path: "/srv/photos/7.jpg")
///     return Response(headers: [.contentType: "image/jpeg"], body: .file(file))
///
/// It is closed when the last who holds it lets go. Threading: usable from any thread.
public final class ResponseFile: Sendable {
    /// Where it was found.
    public let path: String
    /// Its length in bytes when it was opened.
    public let length: Int
    /// When it was changed last: seconds since 1970, UTC.
    public let modificationTime: Int
    /// And nanoseconds beyond these.
    public let modificationNanoseconds: Int
    private let fd: Int32
    /// `O_PATH`, which Swift's Glibc lacks; the same on x86-64 and arm64.
    private static let pathOnly: Int32 = 0o10_000_000

    /// Opens a file; symbolic links are followed.
    ///
    /// - Throws: ``ResponseError`` when there is none, it may not be read, or it is no regular file.
    public convenience init(path: String) throws(ResponseError) {
        // A FIFO in place of the file must not block the worker: hence O_NONBLOCK, which regular files ignore.
        let fd = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { throw Self.error(path, errno) }
        try self.init(owning: fd, path: path)
    }

    /// Opens a file below a folder, for names that clients choose: no segment may be a symbolic link, or lead upwards.
    ///
    /// - Parameters:
    ///   - folder: The folder; symbolic links in its own path are followed.
    ///   - segments: The names on the way; empty ones, `.`, `..` and those with a slash or NUL lead nowhere.
    /// - Throws: ``ResponseError``, with ``ResponseError/isMissingFile`` where there is no such file.
    public convenience init(in folder: String, segments: [String]) throws(ResponseError) {
        let path = ([folder] + segments).joined(separator: "/")
        guard !segments.isEmpty, segments.allSatisfy(Self.isName) else { throw Self.error(path, ENOENT) }
        var fd = Glibc.open(folder, Self.pathOnly | O_CLOEXEC | O_DIRECTORY)
        guard fd >= 0 else { throw Self.error(folder, errno) }
        for (index, segment) in segments.enumerated() {
            // A folder need not be readable to lead on.
            let kind = index < segments.count - 1 ? Self.pathOnly | O_DIRECTORY : O_RDONLY | O_NONBLOCK
            let next = openat(fd, segment, O_CLOEXEC | O_NOFOLLOW | kind)
            let code = errno
            close(fd)
            // A symbolic link is as good as nothing.
            guard next >= 0 else {
                throw Self.error(path, code == ELOOP || code == ENXIO || code == EACCES ? ENOENT : code)
            }
            fd = next
        }
        try self.init(owning: fd, path: path)
    }

    private init(owning fd: Int32, path: String) throws(ResponseError) {
        var status = stat()
        let isThere = fstat(fd, &status) == 0
        self.path = path
        self.fd = fd
        length = Int(status.st_size)
        modificationTime = status.st_mtim.tv_sec
        modificationNanoseconds = status.st_mtim.tv_nsec
        // From here on `deinit` closes it.
        guard isThere, status.st_mode & S_IFMT == S_IFREG else {
            throw ResponseError(
                .file(path: path, reason: "it is not a regular file", isMissing: status.st_mode & S_IFMT == S_IFDIR))
        }
    }

    private static func isName(_ segment: String) -> Bool {
        !segment.isEmpty && segment != "." && segment != ".." && !segment.utf8.contains { $0 == 0x2f || $0 == 0 }
    }

    private static func error(_ path: String, _ code: Int32) -> ResponseError {
        ResponseError(
            .file(
                path: path, reason: String(cString: strerror(code)),
                isMissing: code == ENOENT || code == ENOTDIR || code == ENAMETOOLONG))
    }

    deinit {
        close(fd)
    }

    /// Sends some of `count` bytes from `offset` on; a file that shrank meanwhile is an error.
    ///
    /// - Returns: How many the connection took, or -1 with errno: EAGAIN when it takes none for now.
    func send(to socket: Int32, _ count: Int, from offset: Int) throws(ResponseError) -> Int {
        var position = off_t(offset)
        var sent = sendfile(socket, fd, &position, count)
        // Not all file systems can do that.
        if sent < 0, errno == EINVAL { sent = copy(to: socket, count, from: offset) }
        if sent < 0, errno == EIO {
            throw Self.error(path, EIO)
        }
        guard sent != 0 else {
            throw ResponseError(.file(path: path, reason: "it became shorter while it was sent", isMissing: false))
        }
        return sent
    }

    private func copy(to socket: Int32, _ count: Int, from offset: Int) -> Int {
        withUnsafeTemporaryAllocation(byteCount: min(count, 64 << 10), alignment: 16) { block in
            let taken = pread(fd, block.baseAddress!, block.count, off_t(offset))
            guard taken > 0 else { return taken }
            return Glibc.send(socket, block.baseAddress!, taken, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        }
    }
}
