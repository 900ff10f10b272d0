public import Logging
public import Sessions

extension MemoryProvider {
    /// How the provider behaves.
    public struct Configuration: Sendable {
        /// The most sessions at once, 1 to 100,000,000; what happens beyond is in `MemoryProvider`. Default: 100,000.
        public var maximumSessions = 100_000
        /// The most bytes of sessions at once, 1,024 to 2^40: their values and what the provider needs beside them, as
        /// measured on Linux. Default: 268,435,456 (256 MiB).
        public var maximumBytes = 256 << 20
        /// The clock of the deadlines. Default: the time since boot.
        public var clock = SessionClock.boot
        /// Whether expired sessions are collected in the background. Default: true; tests collect by hand.
        public var collectsInBackground = true

        /// The file that carries sessions over a restart. Default: none.
        public var state: StateFile?
        /// Where trouble with the state file is logged.
        public var logger = Logger(label: "galleta.sessions")

        /// The defaults.
        public init() {}

        func check() throws(ConfigurationError) {
            guard (1...100_000_000).contains(maximumSessions) else {
                throw ConfigurationError(
                    field: "maximumSessions",
                    reason: "\(maximumSessions) is not within 1 and 100,000,000",
                    remedy: "give the most sessions at once")
            }
            guard (1_024...(1 << 40)).contains(maximumBytes) else {
                throw ConfigurationError(
                    field: "maximumBytes",
                    reason: "\(maximumBytes) is not within 1,024 and 1,099,511,627,776 (1 TiB)",
                    remedy: "give the most bytes that sessions may take, for example 268435456 (256 MiB)")
            }
            try state?.check()
        }
    }

    /// Makes the provider known as `memory`; its parameters are `maximumSessions`, `maximumBytes`,
    /// and for a state file `state` (the path), `stateInterval` and `stateLockTimeout` (whole seconds).
    public static func register() {
        SessionProviders.register("memory", isLocalToProcess: true) { options in
            var configuration = Configuration()
            for (name, value) in options.parameters {
                switch name {
                case "maximumSessions": configuration.maximumSessions = try number(value, name)
                case "maximumBytes": configuration.maximumBytes = try number(value, name)
                case "state", "stateInterval", "stateLockTimeout": break
                default:
                    throw ConfigurationError(
                        field: name,
                        reason: "the memory provider has no such parameter",
                        remedy: "give one of maximumSessions, maximumBytes, state, stateInterval and stateLockTimeout")
                }
            }
            configuration.logger = options.logger
            configuration.state = try StateFile(parameters: options.parameters)
            if options.isTrial {
                try configuration.check()
                try configuration.state?.checkAccess()
                configuration.state = nil
                configuration.collectsInBackground = false
            }
            return try MemoryProvider(configuration: configuration)
        }
    }

    fileprivate static func number(_ text: String, _ name: String) throws(ConfigurationError) -> Int {
        guard let number = Int(text) else {
            throw ConfigurationError(
                field: name,
                reason: "\"\(text)\" is not a whole number",
                remedy: "give digits only, for example 100000")
        }
        return number
    }
}

extension MemoryProvider.StateFile {
    /// What a registered provider's parameters say; nil without a path.
    fileprivate init?(parameters: [String: String]) throws(ConfigurationError) {
        let interval = try Self.seconds("stateInterval", parameters)
        let lockTimeout = try Self.seconds("stateLockTimeout", parameters)
        guard let path = parameters["state"] else {
            guard interval == nil, lockTimeout == nil else {
                throw ConfigurationError(
                    field: "state",
                    reason: "stateInterval and stateLockTimeout need it",
                    remedy: "give the path of the state file")
            }
            return nil
        }
        self.init(path: path)
        if let interval { self.interval = interval }
        if let lockTimeout { self.lockTimeout = lockTimeout }
    }

    private static func seconds(_ name: String, _ parameters: [String: String]) throws(ConfigurationError) -> Duration?
    {
        try parameters[name].map { text throws(ConfigurationError) in .seconds(try MemoryProvider.number(text, name)) }
    }
}
