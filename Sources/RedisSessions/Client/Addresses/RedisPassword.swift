internal import CPlatform
internal import Glibc
package import Sessions

/// Where a password comes from. Read anew for each connection, so that it can be changed without a restart.
package enum RedisPassword: Hashable, Sendable {
    case none
    case text(String)
    /// The file's content, without line ends behind it.
    case file(path: String)
    /// The value of the environment variable.
    case environment(name: String)

    /// The bytes; nil for none. Blocks for as long as a small file takes.
    ///
    /// - Throws: Why there are none, without the field's name and without the password.
    func read() throws(PasswordFailure) -> [UInt8]? {
        let bytes: [UInt8]
        switch self {
        case .none:
            return nil
        case .text(let text):
            bytes = Array(text.utf8)
        case .file(let path):
            bytes = try Self.content(of: path)
        case .environment(let name):
            guard let value = getenv(name) else {
                throw PasswordFailure(
                    reason: "the environment variable \(name) is not set", remedy: "set it, or name another")
            }
            bytes = UnsafeBufferPointer(start: value, count: strlen(value)).map { UInt8(bitPattern: $0) }
        }
        guard !bytes.isEmpty else { throw PasswordFailure(reason: "the password is empty", remedy: "put it there") }
        return bytes
    }

    /// - Throws: `ConfigurationError` when there is nothing to read.
    package func check() throws(ConfigurationError) {
        do {
            _ = try read()
        } catch {
            throw ConfigurationError(
                field: field,
                reason: error.reason,
                remedy: error.remedy)
        }
    }

    /// The setting that says it.
    var field: String {
        switch self {
        case .none, .text: "url"
        case .file: "passwordFile"
        case .environment: "passwordEnvironment"
        }
    }

    private static let longest = 4096

    private static func content(of path: String) throws(PasswordFailure) -> [UInt8] {
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else {
            throw PasswordFailure(
                reason: "\(path) cannot be read (\(String(cString: strerror(errno))))",
                remedy: "put the password there, readable for this process")
        }
        defer { close(fd) }
        var bytes: [UInt8] = []
        while bytes.count <= longest {
            let count = withUnsafeTemporaryAllocation(byteCount: longest + 1, alignment: 1) { buffer in
                let count = Glibc.read(fd, buffer.baseAddress, buffer.count)
                if count > 0 { bytes.append(contentsOf: buffer[..<count]) }
                return count
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw PasswordFailure(
                    reason: "\(path) cannot be read (\(String(cString: strerror(errno))))", remedy: "give a file")
            }
            if count == 0 { break }
        }
        guard bytes.count <= longest else {
            throw PasswordFailure(
                reason: "\(path) has more than \(longest) bytes", remedy: "give a file with the password only")
        }
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { bytes.removeLast() }
        return bytes
    }
}

extension RedisPassword: CustomStringConvertible, CustomReflectable {
    /// Where it comes from, never the password: settings end up in logs.
    package var description: String {
        switch self {
        case .none: "none"
        case .text: "given"
        case .file(let path): "in \(path)"
        case .environment(let name): "in the environment variable \(name)"
        }
    }

    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why there is no password.
struct PasswordFailure: Error {
    let reason: String
    /// What to change.
    let remedy: String
}
