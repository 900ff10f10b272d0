internal import Glibc

/// Users and password hashes of a file in htpasswd's format, read once.
///
/// A line is `user:hash`; what follows a second colon is a comment, as are lines that begin with `#`. Hashes are those
/// of crypt(3) that are fit for passwords: bcrypt (`htpasswd -B`), SHA-512 and SHA-256 (`openssl passwd -6`),
/// yescrypt, and MD5 (`$1$`) for old files. Others are refused when the file is read.
///
/// Threading: usable from any thread.
struct Htpasswd: CredentialVerifier {
    /// Largest file in bytes.
    static let maxFileBytes = 1 << 20
    /// Longest line in bytes.
    static let maxLineBytes = 1024

    /// Every local user may read the file, and try passwords on the hashes at leisure.
    let isWorldReadable: Bool
    /// How many users the file has; at least 1.
    var count: Int { hashes.count }

    // Keyed by bytes: String would take two spellings of one text in Unicode for the same user.
    private var users: [[UInt8]: Int] = [:]
    private var hashes: [PasswordHash] = []

    /// Reads a file.
    ///
    /// - Throws: ``HtpasswdError`` for a file that is missing, not readable, too large or without users, and for the
    ///   first line that is not as it must be.
    init(path: String) throws(HtpasswdError) {
        let file = try PasswordFile(path: path)
        try self.init(bytes: file.bytes, path: path, isWorldReadable: file.isWorldReadable)
    }

    /// Reads the content of a file.
    init(bytes: [UInt8], path: String, isWorldReadable: Bool = false) throws(HtpasswdError) {
        self.isWorldReadable = isWorldReadable
        var lines: [Int] = []
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            do throws(LineError) {
                guard let (user, hash) = try Self.parse(line) else { continue }
                if let earlier = users[user] { throw .duplicate(line: lines[earlier]) }
                users[user] = hashes.count
                hashes.append(hash)
                lines.append(index + 1)
            } catch {
                throw HtpasswdError(path: path, line: index + 1, reason: error.reason, remedy: error.remedy(path))
            }
        }
        guard !hashes.isEmpty else {
            throw HtpasswdError(
                path: path, line: nil, reason: "it has no users", remedy: "add one with: htpasswd -B \(path) USER")
        }
    }

    func verify(user: String, password: String) -> Bool {
        if let known = users[Array(user.utf8)] { return hashes[known].matches(password) }
        // The work of a known user, so that the time does not tell who exists. Always the same one for the same name,
        // because kinds and costs may differ between users; which one is secret (Hasher is seeded at random).
        var hasher = Hasher()
        user.withUTF8Bytes { hasher.combine(bytes: $0) }
        let decoy = Int(UInt(bitPattern: hasher.finalize()) % UInt(hashes.count))
        _ = hashes[decoy].matches(password)
        return false
    }

    /// Nil for a line without a user.
    private static func parse(_ line: ArraySlice<UInt8>) throws(LineError) -> ([UInt8], PasswordHash)? {
        var line = line
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        if line.first == UInt8(ascii: "#") || line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
            return nil
        }
        guard line.count <= maxLineBytes else { throw .tooLong }
        let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count >= 2 else { throw .noColon }
        guard !fields[0].isEmpty, fields[0].count <= 255, fields[0].allSatisfy({ $0 >= 0x20 && $0 != 0x7f }),
            String(validating: fields[0], as: UTF8.self) != nil
        else { throw .badUser }
        do throws(PasswordHash.Refusal) {
            return (Array(fields[0]), try PasswordHash(String(decoding: fields[1], as: UTF8.self)))
        } catch {
            throw .badHash(user: String(decoding: fields[0], as: UTF8.self), error)
        }
    }

    private enum LineError: Error {
        case tooLong
        case noColon
        case badUser
        case badHash(user: String, PasswordHash.Refusal)
        case duplicate(line: Int)

        var reason: String {
            switch self {
            case .tooLong: "the line is longer than \(Htpasswd.maxLineBytes) bytes"
            case .noColon: "the line is not user:hash"
            case .badUser: "the user name is empty, over 255 bytes, no UTF-8 or has control characters"
            case .badHash(let user, let refusal): "user \"\(user)\": \(refusal.reason)"
            case .duplicate(let line): "the user is on line \(line) already"
            }
        }

        func remedy(_ path: String) -> String {
            switch self {
            case .badHash(let user, _): "set the password anew with: htpasswd -B \(path) \(user)"
            case .duplicate: "remove one of them"
            case .tooLong, .noColon, .badUser: "correct or remove the line"
            }
        }
    }
}

extension String {
    /// The bytes of the text.
    fileprivate func withUTF8Bytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        var text = self
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
    }
}
