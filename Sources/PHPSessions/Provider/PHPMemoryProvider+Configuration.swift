internal import GalletaPlatform
internal import Logging
public import MemorySessions
internal import PHPSerialization
internal import RedisSessions
internal import Sessions

extension PHPMemoryProvider {
    /// What the store and its socket are like.
    public struct Configuration: Sendable {
        /// What PHP's sessions are like. Where it was read from a php.ini, `saveHandler` must be `redis` and `savePath` name the
        /// socket; else both are left alone.
        public var php: PHPProvider.Configuration
        /// The path of the unix socket on which PHP's redis handler is served.
        public var socket: String
        /// The socket file's permissions: who may write to it may read and write all sessions. Default: 0660.
        public var mode: UInt32 = 0o660
        /// Users who may connect, as `user:www-data` or `user:33`, beside root and this process's own; empty: whom the mode lets
        /// in. Default: empty.
        public var allow: [String] = []
        /// Sessions at a time. Beyond them sessions without a user make room, those first that would end first. Default: 100,000.
        public var maximumSessions = 100_000
        /// Bytes of all sessions, with what is kept beside them. Default: 268,435,456 (256 MiB).
        public var maximumBytes = 256 << 20
        /// Connections of PHP at a time: one a page that runs, one a process with `persistent=1`. Default: 512.
        public var maximumConnections = 512
        /// How long a page of PHP waits for a session that others have, before its handler asks again. Longer than the handler
        /// waits for an answer is of no use. Default: 10 s.
        public var lockPatience = Duration.seconds(10)
        /// A file that carries the sessions over a restart. Default: nil, none.
        public var state: MemoryProvider.StateFile?

        /// A store that PHP finds at this socket.
        public init(socket: String, php: PHPProvider.Configuration = PHPProvider.Configuration()) {
            self.socket = socket
            self.php = php
        }

        /// What a php.ini says, and a pool of php-fpm, as `PHPProvider.Configuration` reads them; locks of PHP's need no expiry here.
        public init(socket: String, iniFile: String, poolFile: String? = nil) throws {
            self.init(
                socket: socket,
                php: try PHPProvider.Configuration(iniFile: iniFile, poolFile: poolFile, locksEnd: true))
        }
    }
}

extension PHPMemoryProvider.Configuration {
    /// - Parameter parameters: Those of the provider `php`.
    /// - Returns: nil without a socket.
    init?(_ parameters: [String: String], php: PHPProvider.Configuration) throws {
        guard let socket = parameters["socket"] else {
            if let name = Self.parameterNames.first(where: { parameters[$0] != nil }) {
                throw ConfigurationError(
                    field: name, reason: "it is of PHP's sessions in memory, and there is no socket",
                    remedy: "give socket=PATH, which PHP's session.save_path names, or leave it out")
            }
            return nil
        }
        self.init(socket: socket, php: php)
        if let text = parameters["socketMode"] {
            guard let mode = UInt32(text, radix: 8), mode <= 0o777 else {
                throw ConfigurationError(
                    field: "socketMode", reason: "\"\(text)\" is no octal mode", remedy: "give 660, for example")
            }
            self.mode = mode
        }
        if let list = parameters["socketAllow"] {
            allow = list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        if let count = try PHPProvider.number("maximumSessions", parameters) { maximumSessions = count }
        if let count = try PHPProvider.number("maximumBytes", parameters) { maximumBytes = count }
        if let count = try PHPProvider.number("maximumConnections", parameters) { maximumConnections = count }
        if let time = try PHPProvider.number("lockPatience", parameters) { lockPatience = .milliseconds(time) }
        if let path = parameters["state"] {
            var state = MemoryProvider.StateFile(path: path)
            if let time = try PHPProvider.number("stateInterval", parameters) { state.interval = .seconds(time) }
            if let time = try PHPProvider.number("stateLockTimeout", parameters) { state.lockTimeout = .seconds(time) }
            self.state = state
        } else if parameters["stateLockTimeout"] != nil {
            throw ConfigurationError(
                field: "state", reason: "stateLockTimeout needs it", remedy: "give the path of the state file")
        }
    }

    static let parameterNames = [
        "socketMode", "socketAllow", "maximumSessions", "maximumBytes", "maximumConnections", "lockPatience", "state",
        "stateLockTimeout",
        "stateInterval",
    ]

    /// Looks whether there could be such a provider; leaves nothing behind.
    func check() throws {
        _ = try php.checkedFormat()
        try serverConfiguration().check()
        try storeConfiguration().check()
        try state?.checkAccess(of: .php)
    }

    func storeConfiguration() throws(ConfigurationError) -> MemoryStore.Configuration {
        let format = try php.checkedFormat()
        let codec = PHPSessionValues(userName: php.userKey, format: format, limits: PHPLimits())
        var memory = MemoryStore.Configuration(idleTimeout: php.idleTimeout)
        memory.format = format
        memory.maxSessions = maximumSessions
        memory.maxBytes = maximumBytes
        memory.maxWaiters = php.waitersPerSession
        memory.clock = php.clock
        memory.logger = php.logger
        memory.owner = { codec.owner(of: $0) }
        return memory
    }

    func serverConfiguration() throws(ConfigurationError) -> HandlerServer.Configuration {
        guard lockPatience >= .milliseconds(1), lockPatience <= .seconds(3_600) else {
            throw ConfigurationError(
                field: "lockPatience", reason: "it is \(lockPatience)", remedy: "give 1 to 3600000 milliseconds")
        }
        guard (1...65_536).contains(maximumConnections) else {
            throw ConfigurationError(
                field: "maximumConnections", reason: "it is \(maximumConnections)", remedy: "give 1 to 65536")
        }
        var server = HandlerServer.Configuration(socket: socket)
        server.maxConnections = maximumConnections
        server.mode = mode
        server.allow = allow
        server.lockPatience = lockPatience
        server.logger = php.logger
        guard php.isOfPHPSettings || php.saveHandler == "redis" else { return server }
        let remedy = "set session.save_handler = redis and session.save_path = \"unix://\(socket)\" in PHP's settings"
        guard php.saveHandler == "redis" else {
            throw ConfigurationError(
                field: "session.save_handler",
                reason: "PHP keeps its sessions in \"\(php.saveHandler)\", not at `socket`",
                remedy: remedy)
        }
        let place = try RedisSavePath(php.savePath)
        guard place.servers.addresses == [.unix(socket)] else {
            throw ConfigurationError(
                field: "session.save_path", reason: "it does not name `socket`, \(socket)", remedy: remedy)
        }
        guard place.servers.database == 0 else {
            throw ConfigurationError(
                field: "session.save_path", reason: "at `socket` there is one database, 0",
                remedy: "leave database= out of it")
        }
        if !php.pagesLock {
            php.logger.warning(
                """
                PHP's pages take no locks: of two that change the same name at once one is lost; set \
                redis.session.locking_enabled = 1 in PHP's settings
                """)
        }
        server.prefix = place.prefix
        if case .text(let password) = place.servers.password { server.password = Array(password.utf8) }
        return server
    }
}
