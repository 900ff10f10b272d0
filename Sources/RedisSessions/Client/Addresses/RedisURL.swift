internal import Sessions

/// One address of a URL, see ``RedisServers``.
struct RedisURL {
    enum Scheme: String {
        case redis, rediss, unix
    }

    let scheme: Scheme
    let address: RedisAddress
    private(set) var user: String?
    private(set) var password: String?
    private(set) var database: Int?

    /// - Parameter scheme: That of the address before, for one that has none.
    init(_ text: Substring, scheme inherited: Scheme?, defaultPort: UInt16, field: String) throws(ConfigurationError) {
        var rest = text
        if let marker = Self.index(of: "://", in: rest) {
            // Only its letters: what stands there instead may be a password.
            guard let scheme = Scheme(rawValue: String(rest[..<marker])) else {
                throw ConfigurationError(
                    field: field,
                    reason: "the scheme is none of redis, rediss (TLS) and unix",
                    remedy: "begin with one, as redis://")
            }
            self.scheme = scheme
            rest = rest[rest.index(marker, offsetBy: 3)...]
        } else if text.hasPrefix("unix:/") {
            // As addresses to listen on are written.
            scheme = .unix
            rest = text.dropFirst(5)
        } else if let inherited {
            scheme = inherited
        } else {
            throw ConfigurationError(
                field: field,
                reason: "there is no scheme",
                remedy: "begin with redis://, rediss:// (TLS) or unix://")
        }
        var authority = rest
        // A slash inside a password has to be escaped; so has "@".
        if let slash = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) { authority = rest[..<slash] }
        if let at = authority.lastIndex(of: "@") {
            let info = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = try Self.decoded(info[0], "user", field)
            if user == "" { user = nil }
            if info.count == 2 { password = try Self.decoded(info[1], "password", field) }
            if password == "" { password = nil }
            rest = rest[rest.index(after: at)...]
        }
        switch scheme {
        case .unix:
            let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            address = try Self.unix(parts[0], field)
            if parts.count == 2 { database = try Self.query(parts[1], field) }
        case .redis, .rediss:
            let query = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            let parts = query[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            address = try Self.tcp(parts[0], defaultPort: defaultPort, field)
            if parts.count == 2, !parts[1].isEmpty { database = try Self.database(parts[1], field) }
            if query.count == 2 { database = try Self.query(query[1], field) }
        }
    }

    func agrees(with first: RedisURL) -> Bool {
        scheme == first.scheme && (user == nil || user == first.user) && (password == nil || password == first.password)
            && (database == nil || first.database == nil || database == first.database)
    }

    /// The database may stand behind the last of several addresses.
    func completed(by later: RedisURL) -> RedisURL {
        var url = self
        url.database = database ?? later.database
        return url
    }

    private static func unix(_ path: Substring, _ field: String) throws(ConfigurationError) -> RedisAddress {
        let path = try decoded(path, "path", field)
        guard path.hasPrefix("/") else {
            throw ConfigurationError(
                field: field,
                reason: "the socket's path is not absolute",
                remedy: "give it with three slashes, as unix:///run/redis.sock")
        }
        guard path.utf8.count <= 107, !path.utf8.contains(0) else {
            throw ConfigurationError(
                field: field,
                reason: "the socket's path is longer than 107 bytes or has a NUL",
                remedy: "put it into a folder with a short name")
        }
        return .unix(path)
    }

    private static func tcp(
        _ text: Substring, defaultPort: UInt16, _ field: String
    ) throws(ConfigurationError) -> RedisAddress {
        var host = text
        var port: Substring?
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else {
                throw ConfigurationError(
                    field: field,
                    reason: "an IPv6 address has no closing bracket",
                    remedy: "write it as [::1]")
            }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else {
                throw ConfigurationError(
                    field: field,
                    reason: "something stands between an IPv6 address and its port",
                    remedy: "write it as [::1]:6379")
            }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
            guard port?.contains(":") == false else {
                throw ConfigurationError(
                    field: field,
                    reason: "an IPv6 address stands without brackets",
                    remedy: "write it as [::1]:6379")
            }
        }
        let isName = { (byte: UInt8) in
            byte >= 0x21 && byte < 0x7f && !"/?#@[]\\\"'<>%".utf8.contains(byte)
        }
        guard !host.isEmpty, host.utf8.count <= 255, host.utf8.allSatisfy(isName) else {
            throw ConfigurationError(
                field: field,
                reason: "there is no host, or not one that can be",
                remedy: "give a name or an address, as redis://127.0.0.1:6379")
        }
        guard let port else { return .tcp(String(host), defaultPort) }
        guard port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = UInt16(port), number > 0 else {
            throw ConfigurationError(
                field: field,
                reason: "the port is not a number from 1 to 65535",
                remedy: "give one, as redis://127.0.0.1:6379")
        }
        return .tcp(String(host), number)
    }

    private static func query(_ text: Substring, _ field: String) throws(ConfigurationError) -> Int {
        guard text.hasPrefix("db=") else {
            throw ConfigurationError(
                field: field,
                reason: "the only thing that may follow \"?\" is the database, as ?db=0",
                remedy: "leave it out")
        }
        return try database(text.dropFirst(3), field)
    }

    private static func database(_ text: Substring, _ field: String) throws(ConfigurationError) -> Int {
        guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(text), number <= 65_535 else {
            throw ConfigurationError(
                field: field,
                reason: "the database is not a number from 0 to 65535",
                remedy: "give one, as redis://127.0.0.1:6379/0")
        }
        return number
    }

    private static func decoded(_ text: Substring, _ what: String, _ field: String) throws(ConfigurationError) -> String
    {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ hexDigits.contains($0) }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else {
                throw ConfigurationError(
                    field: field,
                    reason: "the \(what) has a \"%\" that begins no escape",
                    remedy: "write \"%\" itself as %25")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(utf8: bytes) else {
            throw ConfigurationError(
                field: field,
                reason: "the \(what) is not UTF-8",
                remedy: "put it into a file (passwordFile), where any bytes may stand")
        }
        return decoded
    }

    private static let hexDigits = Set("0123456789abcdefABCDEF".utf8)

    private static func index(of marker: String, in text: Substring) -> Substring.Index? {
        text.indices.first { text[$0...].hasPrefix(marker) }
    }
}
