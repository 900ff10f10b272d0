package import GalletaPlatform

/// Users and password hashes of a file in htpasswd's format, read once.
///
/// A line is `user:hash`; what follows a second colon is a comment, as are lines that begin with `#`. Hashes are those
/// of crypt(3) that are fit for passwords: bcrypt (`htpasswd -B`), SHA-512 and SHA-256 (`openssl passwd -6`),
/// yescrypt, and MD5 (`$1$`) for old files, up to the costs that ``PasswordHash`` names. Others are refused when the
/// file is read.
///
/// Threading: usable from any thread.
package struct Htpasswd: Sendable {
    /// Largest file in bytes.
    static let maxFileBytes = 1 << 20
    /// Longest line in bytes.
    static let maxLineBytes = 1024
    /// Most kinds and costs of hashes in a file: each check does the work of all.
    static let maxWorks = 16

    /// Every local user may read the file, and try passwords on the hashes at leisure.
    let isWorldReadable: Bool
    /// How many users the file has; at least 1.
    package var count: Int { entries.count }
    let maxPasswordBytes: Int

    private struct Entry {
        let hash: PasswordHash
        let credential: Credential
        let line: Int
    }

    // Keyed by bytes: String would take two spellings of one text in Unicode for the same user.
    private var entries: [ByteString: Entry] = [:]
    /// One hash of each work.
    private var samples: [PasswordHash] = []

    /// Reads a file.
    ///
    /// - Throws: ``ConfigurationError`` for a file that is missing, not readable, too large or without users, and for the
    ///   first line that is not as it must be.
    init(path: String) throws(ConfigurationError) {
        let file = try FileContent(path: path)
        try self.init(bytes: file.bytes, path: path, isWorldReadable: file.isWorldReadable)
    }

    /// Reads the content of a file.
    package init(bytes: [UInt8], path: String, isWorldReadable: Bool = false) throws(ConfigurationError) {
        self.isWorldReadable = isWorldReadable
        var works: Set<PasswordHash.Work> = []
        var hasBcrypt = false
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            do throws(LineError) {
                guard let (user, hash) = try Self.parse(line) else { continue }
                if let earlier = entries[user] { throw .duplicate(line: earlier.line) }
                let credential = Credential(user: user, entry: hash.text.utf8)
                entries[user] = Entry(hash: hash, credential: credential, line: index + 1)
                hasBcrypt = hasBcrypt || hash.isBcrypt
                guard works.insert(hash.work).inserted else { continue }
                guard works.count <= Self.maxWorks else { throw .tooMixed(user: user.string) }
                samples.append(hash)
            } catch {
                throw ConfigurationError(
                    passwordFile: path, line: index + 1, reason: error.reason, remedy: error.remedy(path))
            }
        }
        guard !entries.isEmpty else {
            throw ConfigurationError(
                passwordFile: path, reason: "it has no users", remedy: "add one with: htpasswd -B \(path) USER")
        }
        maxPasswordBytes = hasBcrypt ? PasswordHash.maxBcryptPasswordBytes : PasswordHash.maxPasswordBytes
    }

    /// Hashes the password once with each kind and cost that the file has, whoever asks: so the time tells neither who
    /// exists nor whose hash is of which kind, and needs no secret that would have to outlive a restart.
    ///
    /// A password over ``maxPasswordBytes`` is nobody's, and is not hashed at all.
    func verify(user: ByteString, password: ByteString) -> Credential? {
        guard password.count <= maxPasswordBytes else { return nil }
        let entry = entries[user]
        var isRight = false
        for sample in samples {
            if let entry, entry.hash.work == sample.work {
                isRight = entry.hash.matches(password)
            } else {
                _ = sample.matches(password)
            }
        }
        return isRight ? entry?.credential : nil
    }

    func credential(of user: ByteString) -> Credential? {
        entries[user]?.credential
    }

    /// Nil for a line without a user.
    private static func parse(_ line: ArraySlice<UInt8>) throws(LineError) -> (ByteString, PasswordHash)? {
        var line = line
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        // Any line: files are joined, too.
        guard !line.starts(with: [0xEF, 0xBB, 0xBF]) else { throw .byteOrderMark }
        if line.first == UInt8(ascii: "#") || line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
            return nil
        }
        guard line.count <= maxLineBytes else { throw .tooLong }
        let fields = line.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count >= 2 else { throw .noColon }
        let user = ByteString(bytes: fields[0])
        guard !fields[0].isEmpty, fields[0].count <= Credential.maxUserBytes,
            fields[0].allSatisfy({ $0 >= 0x20 && $0 != 0x7f }), user.validString != nil
        else { throw .badUser }
        let blank = UInt8(ascii: " ")
        guard fields[0].first != blank, fields[0].last != blank else { throw .blankAtUser }
        do throws(PasswordError) {
            return (user, try PasswordHash(String(decoding: fields[1], as: UTF8.self)))
        } catch {
            throw .badHash(user: user.string, error)
        }
    }

    private enum LineError: Error {
        case byteOrderMark
        case tooLong
        case noColon
        case badUser
        case blankAtUser
        case badHash(user: String, PasswordError)
        case tooMixed(user: String)
        case duplicate(line: Int)

        var reason: String {
            switch self {
            case .byteOrderMark: "the line begins with a byte order mark, which would be part of the user name"
            case .tooLong: "the line is longer than \(Htpasswd.maxLineBytes) bytes"
            case .noColon: "the line is not user:hash"
            case .badUser:
                "the user name is empty, over \(Credential.maxUserBytes) bytes, no UTF-8 or has control characters"
            case .blankAtUser: "the user name begins or ends with a blank, which nobody would type"
            case .badHash(let user, let refusal): "user \"\(user)\": \(refusal.message)"
            case .tooMixed(let user):
                "user \"\(user)\": the hashes are of more than \(Htpasswd.maxWorks) kinds and costs"
            case .duplicate(let line): "the user is on line \(line) already"
            }
        }

        func remedy(_ path: String) -> String {
            switch self {
            case .badHash(let user, _), .tooMixed(let user):
                "set the password anew with: htpasswd -B \(path) \(user)"
            case .byteOrderMark: "save the file as UTF-8 without a byte order mark"
            case .duplicate: "remove one of them"
            case .tooLong, .noColon, .badUser, .blankAtUser: "correct or remove the line"
            }
        }
    }
}
