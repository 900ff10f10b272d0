internal import GalletaPlatform
internal import Glibc
internal import Sessions

extension PHPProvider.Configuration {
    /// What a php.ini says, and a pool of php-fpm, if there is one: where sessions are, their form, their lifetime, their cookie.
    ///
    /// - Parameters:
    ///   - iniFile: `/etc/php/8.2/fpm/php.ini`.
    ///   - poolFile: `/etc/php/8.2/fpm/pool.d/www.conf`; its `php_admin_value` wins.
    /// - Throws: `ConfigurationError` for a file that cannot be read, and for what does not fit: another handler than files.
    public init(iniFile: String, poolFile: String? = nil) throws {
        self.init()
        var settings = PHPSettings()
        for (field, path) in [("ini", iniFile), ("pool", poolFile)] {
            if let path { settings.read(try Self.content(of: path, field)) }
        }
        try apply(settings)
    }

    private static func content(of path: String, _ field: String) throws(ConfigurationError) -> String {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else {
            throw ConfigurationError(
                field: field, reason: "\(path) cannot be read: \(String(cString: strerror(errno)))",
                remedy: "give the file that PHP reads (php-fpm8.2 -i | grep \"Loaded Configuration File\")")
        }
        defer { close(fd) }
        var content: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while content.count < 4 << 20 {
            let count = Glibc.read(fd, &block, block.count)
            guard count > 0 else { break }
            content += block[..<count]
        }
        return String(decoding: content, as: UTF8.self)
    }

    mutating func apply(_ settings: PHPSettings) throws(ConfigurationError) {
        let handler = settings["save_handler"] ?? "files"
        guard handler == "files" else {
            throw ConfigurationError(
                field: "session.save_handler", reason: "PHP keeps its sessions in \"\(handler)\"",
                remedy: "set session.save_handler = files: that is the store which can be shared here")
        }
        if let path = settings["save_path"] { savePath = path }
        if let name = settings["serialize_handler"] { serializeHandler = name }
        if let seconds = try settings.number("gc_maxlifetime") { idleTimeout = .seconds(seconds) }
        cookie.cookieName = settings["name"]
        cookie.cookiePath = settings["cookie_path"]
        cookie.cookieDomain = settings["cookie_domain"]
        if let isSecure = settings.flag("cookie_secure") { cookie.secure = isSecure ? .always : .automatic }
        switch settings["cookie_samesite"]?.lowercased() {
        case "lax": cookie.sameSite = .lax
        case "strict": cookie.sameSite = .strict
        case "none": cookie.sameSite = SessionCookie.SameSite.none
        default: break
        }
        if let seconds = try settings.number("cookie_lifetime") { cookie.isPersistent = seconds > 0 }
    }
}

extension PHPProvider {
    private static let parameterNames = [
        "ini", "pool", "savePath", "serializeHandler", "idleTimeout", "userKey", "lockTimeout", "waiters",
    ]

    /// Makes the provider known as `php`. Its parameters are `ini` and `pool`, the files with PHP's settings, and the fields of
    /// ``Configuration``, which win: `idleTimeout` in seconds, `lockTimeout` in milliseconds.
    public static func register() {
        SessionProviders.register("php") { options in
            let parameters = options.parameters
            if let unknown = parameters.keys.sorted().first(where: { !parameterNames.contains($0) }) {
                throw ConfigurationError(
                    field: unknown, reason: "the php provider has no such parameter",
                    remedy: "give one of " + parameterNames.joined(separator: ", "))
            }
            var configuration = Configuration()
            if let ini = parameters["ini"] {
                configuration = try Configuration(iniFile: ini, poolFile: parameters["pool"])
            } else if parameters["pool"] != nil {
                throw ConfigurationError(field: "pool", reason: "there is no ini", remedy: "give the php.ini, too")
            }
            configuration.logger = options.logger
            if let path = parameters["savePath"] { configuration.savePath = path }
            if let name = parameters["serializeHandler"] { configuration.serializeHandler = name }
            if let name = parameters["userKey"] { configuration.userKey = ByteString(name) }
            if let seconds = try number("idleTimeout", parameters) { configuration.idleTimeout = .seconds(seconds) }
            if let time = try number("lockTimeout", parameters) { configuration.lockTimeout = .milliseconds(time) }
            if let count = try number("waiters", parameters) { configuration.waiters = count }
            return try PHPProvider(configuration: configuration)
        }
    }

    private static func number(_ name: String, _ parameters: [String: String]) throws(ConfigurationError) -> Int? {
        guard let text = parameters[name] else { return nil }
        guard let number = Int(text), (0...1_000_000_000).contains(number) else {
            throw ConfigurationError(
                field: name, reason: "\"\(text)\" is not a whole number", remedy: "give one, 0 or more")
        }
        return number
    }
}
