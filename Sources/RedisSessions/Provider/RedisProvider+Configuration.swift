public import Logging
internal import Sessions

extension RedisProvider {
    /// Which servers hold the sessions, and how.
    public struct Configuration: Sendable {
        /// The servers: `redis://[user[:password]@]host[:port][,host…][/database]`, `rediss://…` with TLS,
        /// `unix:///path[?db=database]`. Default: `redis://127.0.0.1`.
        public var url = "redis://127.0.0.1"
        /// The name by which sentinels know the primary; the addresses of `url` are the sentinels' then. Default: none.
        public var sentinelPrimary: String?
        /// True: the addresses of `url` are some nodes of a cluster. Default: false.
        public var isCluster = false
        /// The ACL user, where the URL names none. Default: `default`.
        public var user: String?
        /// The file whose content is the password, read again at each connect. Default: none.
        public var passwordFile: String?
        /// The environment variable that has the password. Default: none.
        public var passwordEnvironment: String?
        /// User and password file for sentinels, where they want one. Default: none.
        public var sentinelUser: String?
        /// See `sentinelUser`.
        public var sentinelPasswordFile: String?
        /// PEM file of the authorities that may vouch for servers of a `rediss` URL. Default: those of the system.
        public var authorityFile: String?
        /// PEM file with the client's certificate, where servers want one. Default: none.
        public var certificateFile: String?
        /// PEM file with the client's key. Default: none.
        public var keyFile: String?
        /// The name in the servers' certificates, where it is not that of their addresses. Default: the address's host.
        public var serverName: String?
        /// What all keys have between braces: their slot in a cluster, and the store's name among others in one database.
        /// Default: `gal`.
        public var name = "gal"
        /// The longest that a call takes, whatever happens in it: 1 ms to 60 s. Default: 250 ms.
        public var timeout = Duration.milliseconds(250)
        /// The longest that connecting takes, within `timeout`: 1 ms to 60 s. Default: 100 ms.
        public var connectTimeout = Duration.milliseconds(100)
        /// The most connections, 1 to 1,024: as many as workers, or fewer. Default: 16.
        public var connections = 16
        /// Whether the application's values are encrypted, each with a key that only its session's id gives. Default: false.
        ///
        /// To be decided once: a store has values of the one kind or the other.
        public var encryptsValues = false
        /// How many replicas a log-out is to reach before it is answered (`WAIT`). Default: none.
        public var replicasOfLogOuts: Int?
        /// How long a log-out waits for replicas, within `timeout`. Default: 100 ms.
        public var replicaTimeout = Duration.milliseconds(100)
        /// Where trouble with Redis is logged.
        public var logger = Logger(label: "galleta.sessions.redis")
        /// True: the servers must be there, and nothing is left behind; see `SessionProviderOptions.isTrial`.
        public var isTrial = false

        /// The defaults.
        public init() {}

        func settings() throws -> RedisSettings {
            guard sentinelPrimary == nil || !isCluster else {
                throw ConfigurationError(
                    field: "sentinelPrimary",
                    reason: "a cluster has no sentinels",
                    remedy: "leave out one of the two")
            }
            let topology: RedisServers.Topology =
                isCluster ? .cluster : sentinelPrimary.map { .sentinel(primary: $0) } ?? .single
            var servers = try RedisServers(url: url, topology: topology)
            if let user {
                guard servers.user == nil else {
                    throw ConfigurationError(
                        field: "user",
                        reason: "the URL names one, too",
                        remedy: "leave out one of them")
                }
                servers.user = user
            }
            var settings = RedisSettings(servers)
            settings.password = try password(servers.password)
            settings.sentinelUser = sentinelUser
            if let sentinelPasswordFile { settings.sentinelPassword = .file(path: sentinelPasswordFile) }
            settings.tls.authorityFile = authorityFile
            settings.tls.certificateFile = certificateFile
            settings.tls.keyFile = keyFile
            settings.tls.serverName = serverName
            settings.hashTag = name
            settings.totalTimeout = timeout
            settings.connectTimeout = min(connectTimeout, timeout)
            settings.maximumConnections = connections
            // What comes of a trial is told once, by its error.
            settings.logger = isTrial ? Logger(label: logger.label) { _ in SwiftLogNoOpLogHandler() } : logger
            if let replicasOfLogOuts {
                guard (1...64).contains(replicasOfLogOuts) else {
                    throw ConfigurationError(
                        field: "replicasOfLogOuts",
                        reason: "\(replicasOfLogOuts) is not within 1 and 64",
                        remedy: "give a number between them, or leave it out")
                }
                guard replicaTimeout > .zero, replicaTimeout < timeout else {
                    throw ConfigurationError(
                        field: "replicaTimeout",
                        reason: "\(replicaTimeout) is not within zero and the timeout (\(timeout))",
                        remedy: "give a time between them")
                }
            }
            return settings
        }

        private func password(_ ofURL: RedisPassword) throws -> RedisPassword {
            let given = [
                ofURL == .none ? nil : ofURL, passwordFile.map { RedisPassword.file(path: $0) },
                passwordEnvironment.map { RedisPassword.environment(name: $0) },
            ].compactMap { $0 }
            guard given.count <= 1 else {
                throw ConfigurationError(
                    field: passwordFile == nil ? "passwordEnvironment" : "passwordFile",
                    reason: "there are several passwords",
                    remedy: "leave out all but one of the URL's, passwordFile and passwordEnvironment")
            }
            return given.first ?? .none
        }
    }

    /// The names of a registered provider's parameters, as ``register()`` has them.
    static let parameterNames = [
        "url", "sentinelPrimary", "isCluster", "user", "passwordFile", "passwordEnvironment", "sentinelUser",
        "sentinelPasswordFile", "authorityFile", "certificateFile", "keyFile", "serverName", "name", "timeout",
        "connectTimeout", "connections", "encryptsValues", "replicasOfLogOuts", "replicaTimeout",
    ]

    /// Makes the provider known as `redis`; its parameters are the fields of ``Configuration``: numbers in digits, times in
    /// milliseconds, `true` or `false`.
    public static func register() {
        SessionProviders.register("redis") { options in
            var configuration = Configuration()
            configuration.logger = options.logger
            configuration.isTrial = options.isTrial
            if let concurrency = options.concurrency { configuration.connections = min(1_024, max(1, concurrency)) }
            for (name, value) in options.parameters.sorted(by: { $0.key < $1.key }) {
                try configuration.set(name, value)
            }
            return try RedisProvider(configuration: configuration)
        }
    }
}

extension RedisProvider.Configuration {
    fileprivate mutating func set(_ name: String, _ value: String) throws {
        switch name {
        case "url": url = value
        case "sentinelPrimary": sentinelPrimary = value
        case "isCluster": isCluster = try flag(name, value)
        case "user": user = value
        case "passwordFile": passwordFile = value
        case "passwordEnvironment": passwordEnvironment = value
        case "sentinelUser": sentinelUser = value
        case "sentinelPasswordFile": sentinelPasswordFile = value
        case "authorityFile": authorityFile = value
        case "certificateFile": certificateFile = value
        case "keyFile": keyFile = value
        case "serverName": serverName = value
        case "name": self.name = value
        case "timeout": timeout = .milliseconds(try number(name, value))
        case "connectTimeout": connectTimeout = .milliseconds(try number(name, value))
        case "connections": connections = try number(name, value)
        case "encryptsValues": encryptsValues = try flag(name, value)
        case "replicasOfLogOuts": replicasOfLogOuts = try number(name, value)
        case "replicaTimeout": replicaTimeout = .milliseconds(try number(name, value))
        default:
            throw ConfigurationError(
                field: name,
                reason: "the redis provider has no such parameter",
                remedy: "give one of "
                    + RedisProvider.parameterNames.joined(separator: ", "))
        }
    }

    private func number(_ name: String, _ value: String) throws -> Int {
        guard let number = Int(value), (0...1_000_000_000).contains(number) else {
            throw ConfigurationError(
                field: name,
                reason: "\"\(value)\" is not a whole number",
                remedy: "give digits only, for example 250")
        }
        return number
    }

    private func flag(_ name: String, _ value: String) throws -> Bool {
        switch value {
        case "true", "on", "1": return true
        case "false", "off", "0": return false
        default:
            throw ConfigurationError(
                field: name,
                reason: "\"\(value)\" is neither true nor false",
                remedy: "give one of them")
        }
    }
}
