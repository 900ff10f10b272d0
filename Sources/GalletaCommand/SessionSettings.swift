internal import FastCGI
internal import Logging
internal import MemorySessions
internal import PHPSessions
internal import RedisSessions
internal import Sessions

/// The sessions' part of the settings.
struct SessionSettings {
    let provider: String
    /// See `Application.allowsManyProcesses`.
    let allowsManyProcesses: Bool
    private let parameters: [String: String]
    let configuration: SessionConfiguration

    init(_ options: ServerOptions, _ reader: SettingReader) throws {
        MemoryProvider.register()
        RedisProvider.register()
        PHPProvider.register()
        provider = reader.text(options.provider, "provider")?.text ?? "memory"
        configuration = try Self.configuration(options, reader)
        allowsManyProcesses = try reader.flag(
            options.allowManyProcesses ? true : nil, "allow-many-processes", default: false)
        parameters = try Self.parameters(options, reader)
    }

    private static func configuration(
        _ options: ServerOptions, _ reader: SettingReader
    ) throws -> SessionConfiguration {
        var configuration = SessionConfiguration()
        // What nobody has asked for is no more than a wish: the provider may have one of its own.
        configuration.assume {
            $0.idleTimeout = .seconds(1800)
            $0.absoluteTimeout = .seconds(43_200)
        }
        if let (name, _) = reader.text(options.cookieName, "cookie-name") { configuration.cookieName = name }
        if reader.text(options.cookieSecure, "cookie-secure") != nil {
            configuration.secure = try reader.choice(
                options.cookieSecure, "cookie-secure", ["auto": .automatic, "always": .always, "never": .never],
                default: .automatic)
        }
        if reader.text(options.idleTimeout, "idle-timeout") != nil {
            let idleTimeout = try reader.duration(options.idleTimeout, "idle-timeout", default: .zero)
            configuration.idleTimeout = idleTimeout
            configuration.assume { $0.absoluteTimeout = max($0.absoluteTimeout, idleTimeout) }
        }
        try reader.refuse(options.maxLifetime, "max-lifetime", now: "absolute-timeout")
        if reader.text(options.absoluteTimeout, "absolute-timeout") != nil {
            configuration.absoluteTimeout = try reader.duration(
                options.absoluteTimeout, "absolute-timeout", default: .zero)
        }
        if reader.text(options.sessionsPerUser, "sessions-per-user") != nil {
            let count = try reader.integer(options.sessionsPerUser, "sessions-per-user", default: 100)
            configuration.maximumSessionsPerUser = count == 0 ? nil : count
        }
        configuration.newSessionLimit = try newSessionLimit(options, reader)
        return configuration
    }

    /// The provider's own settings: those that have an option of their own, and `--session-option` for all others.
    private static func parameters(_ options: ServerOptions, _ reader: SettingReader) throws -> [String: String] {
        var parameters: [String: String] = [:]
        if reader.text(options.maxSessions, "max-sessions") != nil {
            parameters["maximumSessions"] = String(
                try reader.integer(options.maxSessions, "max-sessions", default: 100_000))
        }
        if reader.text(options.maxSessionMemory, "max-session-memory") != nil {
            parameters["maximumBytes"] = String(
                try reader.size(options.maxSessionMemory, "max-session-memory", default: 256 << 20))
        }
        if let (path, _) = reader.text(options.state, "state") {
            parameters["state"] = path
            let interval = try reader.duration(options.stateInterval, "state-interval", default: .seconds(300))
            guard interval.components.attoseconds == 0 else {
                throw ConfigurationError(
                    field: reader.field(of: "state-interval"),
                    reason: "\(interval) is not a whole number of seconds",
                    remedy: "give 1s to 1d"
                )
            }
            parameters["stateInterval"] = String(interval.components.seconds)
        }
        // By key: the command line wins over the variable, as everywhere.
        var given: [String: String] = [:]
        let words = reader.words(options.sessionOption, "session-option", variable: "session-options")
        for (text, field) in words {
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                // Not the text: it may be half of a password.
                throw ConfigurationError(
                    field: field, reason: "a word of it is not KEY=VALUE",
                    remedy: "write it as url=redis://127.0.0.1, say"
                )
            }
            let name = String(text[..<equals])
            guard given[name] != field, parameters[name] == nil || given[name] != nil else {
                throw ConfigurationError(field: field, reason: "\(name) is there twice", remedy: "leave one out")
            }
            given[name] = field
            parameters[name] = String(text[text.index(after: equals)...])
        }
        return parameters
    }

    private static func newSessionLimit(_ options: ServerOptions, _ reader: SettingReader) throws -> NewSessionLimit? {
        try reader.rate(options.newSessions, "new-sessions", example: "600/1m").map {
            NewSessionLimit($0.count, per: $0.period)
        }
    }

    /// Whether no other process may serve the same sockets.
    var areLocalToProcess: Bool { SessionProviders.areLocalToProcess(provider) && !allowsManyProcesses }

    /// The provider, and how long its sessions live, for a line at the start.
    func description(of manager: SessionManager) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["provider": "\(provider)"]
        for (name, value) in manager.configuration.effectiveSettings { metadata[name] = "\(value)" }
        return metadata
    }

    /// - Parameters:
    ///   - configuration: This one, as the program wants it.
    ///   - isTrial: True only looks whether the sessions could be kept, since another process may be using the store.
    ///   - concurrency: How many workers may ask for sessions at once.
    func makeManager(
        _ configuration: SessionConfiguration, logger: Logger, isTrial: Bool, concurrency: Int
    ) throws -> SessionManager {
        var configuration = configuration
        configuration.logger = logger
        let options = SessionProviderOptions(
            parameters: parameters, logger: logger, isTrial: isTrial, concurrency: concurrency)
        return try SessionManager(provider: provider, options: options, configuration: configuration)
    }
}
