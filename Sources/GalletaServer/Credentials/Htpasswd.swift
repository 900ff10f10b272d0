internal import Glibc

/// Users from a file as `htpasswd -B` makes it: `name:hash` a line, comments with `#`.
///
/// Read once at start; threading: immutable.
struct Htpasswd: CredentialVerifier {
    /// Every local user can read the hashes.
    let isWorldReadable: Bool
    private let hashes: [String: PasswordHash]
    /// Hashed in an unknown user's place, so that the time tells nobody which names exist.
    private let decoy: PasswordHash

    private static let maxBytes = 4 << 20

    /// - Throws: ``HtpasswdError`` that names file, line and remedy.
    init(path: String) throws(HtpasswdError) {
        let (text, mode) = try Self.read(path)
        var hashes: [String: PasswordHash] = [:]
        var first: PasswordHash?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard let (name, hash) = try Self.entry(line, path: path, number: index + 1) else { continue }
            guard hashes.updateValue(hash, forKey: name) == nil else {
                throw HtpasswdError(
                    path, line: index + 1, "the user \"\(name)\" stands twice", remedy: "remove one of the lines")
            }
            first = first ?? hash
        }
        guard let first else {
            throw HtpasswdError(path, "it holds no user", remedy: "add one with htpasswd -B \(path) NAME")
        }
        self.hashes = hashes
        decoy = first
        isWorldReadable = mode & 0o004 != 0
    }

    func verify(user: String, password: String) -> Bool {
        guard let hash = hashes[user] else {
            _ = decoy.matches(password)
            return false
        }
        return hash.matches(password)
    }

    /// The name and hash of a line; nil for a comment or a blank line.
    private static func entry(
        _ line: Substring, path: String, number: Int
    ) throws(HtpasswdError) -> (name: String, hash: PasswordHash)? {
        let line = line.last == "\r" ? line.dropLast() : line
        if line.first == "#" || line.allSatisfy({ $0 == " " || $0 == "\t" }) { return nil }
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
            throw HtpasswdError(
                path, line: number, "this is not name:hash", remedy: "add users with htpasswd -B \(path) NAME")
        }
        let name = String(line[..<colon])
        // Some files carry further fields behind the hash.
        let field = line[line.index(after: colon)...].prefix { $0 != ":" }
        guard let hash = PasswordHash(String(field)) else {
            throw HtpasswdError(
                path, line: number,
                "the password of \"\(name)\" is not stored as bcrypt or another crypt(3) hash",
                remedy: "set it anew with htpasswd -B \(path) \(name)")
        }
        return (name, hash)
    }

    private static func read(_ path: String) throws(HtpasswdError) -> (text: String, mode: mode_t) {
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else {
            throw HtpasswdError(
                path, "it cannot be read (\(String(cString: strerror(errno))))",
                remedy: "create it with htpasswd -cB \(path) NAME, readable by this user")
        }
        defer { close(fd) }
        var status = stat()
        guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= maxBytes else {
            throw HtpasswdError(
                path, "it is not a regular file of at most 4 MiB", remedy: "name the file that htpasswd wrote")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress!, $0.count) }
            if count <= 0 { break }
            offset += count
        }
        return (String(decoding: bytes[..<offset], as: UTF8.self), status.st_mode)
    }
}
