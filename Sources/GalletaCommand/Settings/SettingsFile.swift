internal import GalletaPlatform
internal import Glibc

/// A file of settings, by the names of the long options: `workers = 8`, a line each.
///
/// A line that begins with `#` is a comment; so is none behind a value, which may have one in it. A value that is empty counts as
/// not given.
struct SettingsFile: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        let text: String
        let line: Int
    }

    let path: String
    private(set) var entries: [String: Entry] = [:]

    /// Most bytes of it.
    private static let limit = 1 << 20

    /// Reads it.
    ///
    /// - Throws: `ConfigurationError` of the file, or of a line of it.
    init(path: String) throws(ConfigurationError) {
        try self.init(path: path, bytes: Self.read(path))
    }

    init(path: String, bytes: [UInt8]) throws(ConfigurationError) {
        self.path = path
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            try take(line, index + 1)
        }
    }

    /// The field of an error about a line.
    func field(_ line: Int) -> String { "\(path):\(line)" }

    /// How a setting was given, for an error's field; nil if it was not.
    func field(of name: String) -> String? {
        entries[name].map { "\(field($0.line)) \(name)" }
    }

    /// The value; nil where there is none, or an empty one.
    func text(of name: String) -> String? {
        entries[name].flatMap { $0.text.isEmpty ? nil : $0.text }
    }

    /// The names of what is other than in another file, sorted.
    func changes(from other: SettingsFile) -> [String] {
        Set(entries.keys).union(other.entries.keys).filter { text(of: $0) != other.text(of: $0) }.sorted()
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>, _ number: Int) throws(ConfigurationError) {
        guard let line = String(utf8: bytes), !bytes.contains(0) else {
            throw ConfigurationError(
                field: field(number), reason: "it is no text in UTF-8", remedy: "write it in an editor for plain text")
        }
        let trimmed = line.trimmingBlanks
        guard let first = trimmed.first, first != "#" else { return }
        guard let equals = trimmed.firstIndex(of: "=") else {
            throw ConfigurationError(
                field: field(number), reason: "it has no \"=\"",
                remedy: "write NAME = VALUE, or begin the line with # for a comment")
        }
        let name = trimmed[..<equals].trimmingBlanks
        guard name.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }),
            name.utf8.first != UInt8(ascii: "-"), !name.isEmpty
        else {
            throw ConfigurationError(
                field: field(number), reason: "\"\(LogText.clean(name))\" is no setting's name",
                remedy: "write the long option without its dashes, as in workers = 8")
        }
        if let before = entries[name] {
            throw ConfigurationError(
                field: field(number), reason: "\(name) is there twice, in line \(before.line), too",
                remedy: "leave one out; several values of one setting stand in one line, between commas")
        }
        entries[name] = Entry(text: trimmed[trimmed.index(after: equals)...].trimmingBlanks, line: number)
    }

    private static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
        func failure(_ reason: String) -> ConfigurationError {
            ConfigurationError(
                field: path, reason: reason, remedy: "name a file of settings that the server's user may read")
        }
        // Not blocking: a pipe would hold up the start.
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { throw failure("it cannot be read: \(String(cString: strerror(errno)))") }
        defer { close(fd) }
        var status = stat()
        guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw failure("it is no regular file")
        }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let more = bytes[count...].withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress!, $0.count) }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { throw failure("it cannot be read: \(String(cString: strerror(errno)))") }
            if more == 0 { break }
            count += more
        }
        guard count <= limit else { throw failure("it is larger than \(limit) bytes") }
        return Array(bytes[..<count])
    }
}

extension StringProtocol {
    /// Without blanks, tabs and carriage returns at both ends.
    fileprivate var trimmingBlanks: String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\r" }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
