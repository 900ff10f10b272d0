internal import GalletaPlatform
internal import Glibc
public import Logging
internal import PHPSerialization
public import Sessions

extension PHPProvider {
    /// For how long a request has PHP's lock.
    public enum Locking: String, Sendable, CaseIterable {
        /// While it reads, and again while it writes: what a handler has got and sets is not atomic, `update` is.
        case onWrite
        /// From before the handler to the beginning of the answer, where the method may change something: any but GET, HEAD and
        /// OPTIONS. Other requests as with ``onWrite``. A handler that asks a page of PHP for the same visitor then waits for
        /// itself; and a new id (a log-in) lets the lock go.
        case wholeRequest
    }

    /// What PHP's sessions are like.
    public struct Configuration: Sendable {
        /// PHP's `session.save_handler`: `files`, or `redis` as php-redis has it. Default: `files`.
        public var saveHandler = "files"
        /// PHP's `session.save_path`: `[depth;[mode;]]folder`, or for Redis `tcp://host:6379?database=2&prefix=SHOP:`. Default:
        /// Debian's folder.
        public var savePath = "/var/lib/php/sessions"
        /// PHP's `session.serialize_handler`: `php`, `php_binary` or `php_serialize`. Default: `php`.
        public var serializeHandler = "php"
        /// PHP's `session.gc_maxlifetime`: how long a session lives unused. Default: 1440 s.
        public var idleTimeout = Duration.seconds(1_440)
        /// The name in `$_SESSION` that holds the user, so that `session.user` and PHP's pages agree; nil: PHP does not see who
        /// has logged in here. Default: nil.
        public var userKey: ByteString?
        /// For how long a request has PHP's lock. Default: `wholeRequest`.
        public var locking = Locking.wholeRequest
        /// How long a call waits for a page that has the session. Default: 10 s, and 250 ms where it holds a worker.
        public var lockTimeout = Duration.seconds(10)
        /// How many calls wait at a time, each on a thread of its own. Default: 8.
        public var waiters = 8
        /// How many of them wait for one session. Default: 2.
        public var waitersPerSession = 2
        /// How long a call waits that holds a worker.
        var shortTimeout = Duration.milliseconds(250)
        /// How many such calls wait at a time.
        var waitingCallers = 1
        /// What the session's cookie is to be like, where the application says nothing: as PHP's settings have it.
        var cookie = SessionDefaults()
        /// Whether the fields of ``cookie`` are what PHP's settings say, also where they are nil.
        var knowsCookie = false
        /// The machine, as far as PHP's settings tell of it.
        var host = PHPHost()
        /// Whether PHP's pages take the lock in Redis (`redis.session.locking_enabled`).
        var pagesLock = true
        /// Whether a php.ini says where PHP has its sessions.
        var isOfPHPSettings = false
        /// What "now" is.
        var clock = WallClock.system
        /// Where damaged sessions are told of.
        public var logger = Logger(label: "galleta.sessions.php")

        /// Debian's.
        public init() {}
    }
}

extension PHPProvider.Configuration {
    /// Checks the fields.
    func checkedFormat() throws(ConfigurationError) -> PHPFormat {
        guard idleTimeout >= .seconds(1), idleTimeout <= .seconds(3_650 * 86_400) else {
            throw ConfigurationError(
                field: "idleTimeout", reason: "it is \(idleTimeout)",
                remedy: "give PHP's session.gc_maxlifetime, at least 1 s")
        }
        for (field, count) in [("waiters", waiters), ("waitersPerSession", waitersPerSession)] where count < 0 {
            throw ConfigurationError(field: field, reason: "below 0", remedy: "give 0 if nobody shall wait")
        }
        switch serializeHandler {
        case "php": return .php
        case "php_binary": return .phpBinary
        case "php_serialize": return .phpSerialize
        case "igbinary", "msgpack", "wddx":
            throw ConfigurationError(
                field: "serializeHandler", reason: "sessions in \(serializeHandler) cannot be written here",
                remedy: "set session.serialize_handler = php in PHP's settings: its visitors log in once more")
        default:
            throw ConfigurationError(
                field: "serializeHandler", reason: "\"\(serializeHandler)\" is not known",
                remedy: "give PHP's session.serialize_handler: php, php_binary or php_serialize")
        }
    }

    /// The store, as far as it can be used.
    func checkedStore() throws(ConfigurationError) -> any PHPSessionStore {
        switch saveHandler {
        case "files":
            var files = FileStore.Configuration(savePath: savePath)
            files.maxWaiters = waitersPerSession
            files.clock = clock
            let store = try FileStore(files)
            try host.check(store.folder)
            try store.checkFolder()
            host.warn(of: idleTimeout, in: store.folder, to: logger)
            return store
        case "redis":
            var redis = RedisStore.Configuration(place: try RedisSavePath(savePath), idleTimeout: idleTimeout)
            redis.maxWaiters = waitersPerSession
            redis.clock = clock
            let store = try RedisStore(redis)
            try store.check()
            if !pagesLock {
                logger.warning(
                    """
                    PHP's pages take no locks, so two of them can overwrite each other's changes: set \
                    redis.session.locking_enabled = 1 in PHP's settings
                    """)
            }
            return store
        default: throw Self.unknownHandler(saveHandler)
        }
    }

    fileprivate static func unknownHandler(_ name: String) -> ConfigurationError {
        ConfigurationError(
            field: "session.save_handler", reason: "PHP keeps its sessions in \"\(name)\"",
            remedy: "set session.save_handler = files, or redis with php-redis: these can be shared")
    }

    var traits: SessionProviderTraits {
        var traits = SessionProviderTraits()
        traits.keepsKinds = false
        traits.keepsRotationGrace = false
        traits.remembersRotatedIDs = false
        traits.hasExactDeadlines = false
        traits.limits = SessionLimits(bytes: 2 << 20, keys: 65_536)
        traits.defaults = cookie
        // What PHP's pages have put there must not be in the way of a log-in here.
        traits.defaults.limits = traits.limits
        traits.sharesCookie = knowsCookie
        traits.isLockedByOthers = true
        traits.defaults.cookieName = cookie.cookieName ?? "PHPSESSID"
        traits.defaults.isPersistent = cookie.isPersistent ?? false
        traits.defaults.idleTimeout = idleTimeout
        traits.defaults.absoluteTimeout = .seconds(3_650 * 86_400)
        // PHP notes each visit.
        traits.defaults.touchInterval = min(.seconds(60), idleTimeout / 4)
        return traits
    }
}

extension PHPProvider.Configuration {
    /// What a php.ini says, and a pool of php-fpm, if there is one: where sessions are, their form, their lifetime, their cookie.
    ///
    /// - Parameters:
    ///   - iniFile: `/etc/php/8.2/fpm/php.ini`. The files `conf.d/*.ini` beside it are read after it, as Debian's PHP does.
    ///   - poolFile: `/etc/php/8.2/fpm/pool.d/www.conf`, of one pool; its `php_admin_value` wins.
    /// - Throws: `ConfigurationError` for a file that cannot be read, and for what does not fit: another handler than these.
    public init(iniFile: String, poolFile: String? = nil) throws {
        try self.init(iniFile: iniFile, poolFile: poolFile, locksEnd: false)
    }

    init(iniFile: String, poolFile: String?, locksEnd: Bool) throws {
        self.init()
        var settings = PHPSettings()
        for path in [iniFile] + Self.furtherFiles(of: iniFile) { settings.read(try Self.content(of: path, "ini")) }
        host.iniLifetime = .seconds(try settings.number("gc_maxlifetime") ?? 1_440)
        if let poolFile {
            settings.read(try Self.content(of: poolFile, "pool"), isPool: true)
            try settings.checkPool()
            host.poolUser = settings.poolUser
        }
        try apply(settings, locksEnd: locksEnd)
    }

    /// In the order in which PHP reads them.
    private static func furtherFiles(of iniFile: String) -> [String] {
        let folder = (iniFile.lastIndex(of: "/").map { String(iniFile[...$0]) } ?? "") + "conf.d"
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            // One that leads nowhere PHP leaves out, too.
            guard name.hasSuffix(".ini"), !name.hasPrefix("."), access("\(folder)/\(name)", F_OK) == 0 else { continue }
            names.append(name)
        }
        return names.sorted().map { "\(folder)/\($0)" }
    }

    static func content(of path: String, _ field: String) throws(ConfigurationError) -> String {
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

    /// - Parameter locksEnd: Whether a lock ends with its page, even without an expiry.
    mutating func apply(_ settings: PHPSettings, locksEnd: Bool = false) throws(ConfigurationError) {
        let handler = settings["save_handler"] ?? "files"
        guard ["files", "redis"].contains(handler) else { throw Self.unknownHandler(handler) }
        saveHandler = handler
        isOfPHPSettings = true
        if handler == "redis" {
            pagesLock = settings.handlerLocks
            if !locksEnd { try settings.checkLockExpiry() }
        }
        if let path = settings["save_path"] { savePath = path }
        if let name = settings["serialize_handler"] { serializeHandler = name }
        if let seconds = try settings.number("gc_maxlifetime") { idleTimeout = .seconds(seconds) }
        knowsCookie = true
        cookie.cookieName = settings["name"]
        cookie.cookiePath = settings["cookie_path"] ?? "/"
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
        "ini", "pool", "saveHandler", "savePath", "serializeHandler", "idleTimeout", "userKey", "locking",
        "lockTimeout", "waiters", "socket",
    ]

    /// Makes the provider known as `php`. Its parameters are `ini` and `pool`, the files with PHP's settings, and the fields of
    /// ``Configuration``, which win: `idleTimeout` in seconds, `lockTimeout` in milliseconds.
    ///
    /// With `socket` it is a ``PHPMemoryProvider``; its fields are `socketMode` (octal), `socketAllow` (parted by commas),
    /// `maximumSessions`, `maximumBytes`, `maximumConnections`, `lockPatience` (milliseconds), `state`, `stateInterval` and `stateLockTimeout` (seconds).
    public static func register() {
        SessionProviders.register("php") { options in
            let parameters = options.parameters
            let known = parameterNames + PHPMemoryProvider.Configuration.parameterNames
            if let unknown = parameters.keys.sorted().first(where: { !known.contains($0) }) {
                throw ConfigurationError(
                    field: unknown, reason: "the php provider has no such parameter",
                    remedy: "give one of " + known.joined(separator: ", "))
            }
            var configuration = Configuration()
            if let ini = parameters["ini"] {
                configuration = try Configuration(
                    iniFile: ini, poolFile: parameters["pool"], locksEnd: parameters["socket"] != nil)
            } else if parameters["pool"] != nil {
                throw ConfigurationError(field: "pool", reason: "there is no ini", remedy: "give the php.ini, too")
            }
            configuration.logger = options.logger
            if let name = parameters["saveHandler"] { configuration.saveHandler = name }
            if let path = parameters["savePath"] { configuration.savePath = path }
            if let name = parameters["serializeHandler"] { configuration.serializeHandler = name }
            if let name = parameters["userKey"] { configuration.userKey = ByteString(name) }
            if let seconds = try number("idleTimeout", parameters) { configuration.idleTimeout = .seconds(seconds) }
            if let name = parameters["locking"] {
                guard let locking = Locking(rawValue: name) else {
                    throw ConfigurationError(
                        field: "locking", reason: "\"\(name)\" is not known", remedy: "give onWrite or wholeRequest")
                }
                configuration.locking = locking
            }
            if let time = try number("lockTimeout", parameters) { configuration.lockTimeout = .milliseconds(time) }
            if let count = try number("waiters", parameters) { configuration.waiters = count }
            if let own = try PHPMemoryProvider.Configuration(parameters, php: configuration) {
                guard options.isTrial else { return try PHPMemoryProvider(configuration: own) }
                try own.check()
                return try PHPMemoryProvider(store: MemoryStore(own.storeConfiguration()), configuration)
            }
            return try PHPProvider(configuration: configuration)
        }
    }

    static func number(_ name: String, _ parameters: [String: String]) throws(ConfigurationError) -> Int? {
        guard let text = parameters[name] else { return nil }
        guard let number = Int(text), (0...1 << 40).contains(number) else {
            throw ConfigurationError(
                field: name, reason: "\"\(text)\" is not a whole number", remedy: "give one, 0 or more")
        }
        return number
    }
}
