internal import GalletaPlatform
internal import Glibc

/// The session settings of a php.ini, of a pool of php-fpm, or of both: what is set later counts, and a pool's
/// `php_admin_value` above all.
struct PHPSettings {
    private var values: [String: (text: String, isFixed: Bool)] = [:]
    /// The names of the pools that were read.
    private var pools: [String] = []
    /// A pool's `user`.
    private(set) var poolUser: String?
    /// Another file that a pool's file wants read.
    private var include: String?

    /// The pool, when all was read.
    ///
    /// - Throws: `ConfigurationError` of a file with several.
    func checkPool() throws(ConfigurationError) {
        if let include {
            throw ConfigurationError(
                field: "pool", reason: "the file includes \(include), which is not read",
                remedy: "put what the pool says of sessions into the file itself")
        }
        guard pools.count > 1 else { return }
        throw ConfigurationError(
            field: "pool", reason: "the file has several pools: \(pools.joined(separator: ", "))",
            remedy: "put the pool of the site's pages into a file of its own, as pool.d has them")
    }

    /// - Parameter text: The content of the file: `name = value`, or a pool's `php_value[name] = value`.
    mutating func read(_ text: String, isPool: Bool = false) {
        // Below [PATH=…] and [HOST=…] stands what counts for some pages only (php.ini), below [global] what is no pool's.
        var isElsewhere = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = Self.trimmed(line)
            if line.first == "[", let end = line.firstIndex(of: "]") {
                let name = String(line[line.index(after: line.startIndex)..<end])
                let upper = name.uppercased()
                isElsewhere = isPool ? name == "global" : upper.hasPrefix("PATH=") || upper.hasPrefix("HOST=")
                if isPool, !isElsewhere, !pools.contains(name) { pools.append(name) }
            }
            guard !isElsewhere, let first = line.first, first != ";", first != "#", first != "[",
                let equals = line.firstIndex(of: "=")
            else { continue }
            var name = Self.name(line[..<equals])
            let value = Self.value(line[line.index(after: equals)...])
            if isPool, name == "include" { include = value }
            if isPool, name == "user" { poolUser = value.replacing("$pool", with: pools.last ?? "") }
            var isFixed = false
            for (prefix, fixes) in [
                ("php_admin_value[", true), ("php_admin_flag[", true), ("php_value[", false), ("php_flag[", false),
            ] where name.hasPrefix(prefix) && name.hasSuffix("]") {
                name = Self.trimmed(name.dropFirst(prefix.count).dropLast())
                isFixed = fixes
            }
            guard name.hasPrefix("session.") || name.hasPrefix("redis.session.") || name == Self.runTime else {
                continue
            }
            if values[name]?.isFixed == true, !isFixed { continue }
            values[name] = (value, isFixed)
        }
    }

    /// A setting without `session.` in front; nil where it is not set, or empty.
    subscript(_ name: String) -> String? {
        values["session." + name].flatMap { $0.text.isEmpty ? nil : $0.text }
    }

    /// PHP's reading of a switch.
    func flag(_ name: String) -> Bool? { self[name].map(Self.isOn) }

    private static func isOn(_ text: String) -> Bool { ["1", "on", "yes", "true"].contains(text.lowercased()) }

    // MARK: The handler for Redis

    /// The longest that a page runs, in seconds; 0 is for ever.
    private static let runTime = "max_execution_time"

    /// Whether it takes locks, which it does not by default.
    var handlerLocks: Bool { values["redis.session.locking_enabled"].map { Self.isOn($0.text) } ?? false }

    /// Refuses locks that stay when a page is killed: they have `lock_expire`, or else the time that a page may run.
    func checkLockExpiry() throws(ConfigurationError) {
        let expiry = Int(values["redis.session.lock_expire"]?.text ?? "") ?? 0
        guard handlerLocks, expiry == 0, values[Self.runTime]?.text == "0" else { return }
        throw ConfigurationError(
            field: "redis.session.lock_expire",
            reason: "max_execution_time is 0, so PHP's locks have no expiry, and one of a killed page stays",
            remedy: "set redis.session.lock_expire = 60 in PHP's settings")
    }

    /// A whole number.
    ///
    /// - Throws: `ConfigurationError` of the setting.
    func number(_ name: String) throws(ConfigurationError) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text) else {
            throw ConfigurationError(
                field: "session.\(name)", reason: "\"\(text)\" is not a whole number", remedy: "correct PHP's settings")
        }
        return number
    }

    private static func trimmed(_ text: Substring) -> String { trimmed(String(text)) }

    private static func trimmed(_ text: String) -> String {
        var text = text[...].drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }

    /// As `php_value [x]` and `php_value["x"]` are, too.
    private static func name(_ text: Substring) -> String {
        var name = trimmed(text)
        guard let bracket = name.firstIndex(of: "["), name.last == "]" else { return name }
        let setting = trimmed(name[name.index(after: bracket)...].dropLast())
        let isQuoted = setting.count > 1 && setting.first == setting.last && ["\"", "'"].contains(setting.first)
        name = trimmed(name[..<bracket])
        return "\(name)[\(isQuoted ? String(setting.dropFirst().dropLast()) : setting)]"
    }

    /// In quotes all of it; else up to a comment. PHP's words for nothing are nothing.
    private static func value(_ text: Substring) -> String {
        var rest = trimmed(text)[...]
        guard let first = rest.first, first == "\"" || first == "'" else {
            let word = trimmed(rest.prefix { $0 != ";" })
            return ["none", "null"].contains(word.lowercased()) ? "" : word
        }
        // Several in a row are one.
        var value = ""
        while let quote = rest.first, quote == "\"" || quote == "'" {
            let text = rest.dropFirst().prefix { $0 != quote }
            value += text
            rest = rest[text.endIndex...].dropFirst().drop { $0 == " " || $0 == "\t" }
        }
        return value
    }
}
