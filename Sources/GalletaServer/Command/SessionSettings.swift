internal import FastCGI
internal import Logging
internal import MemorySessions
internal import Sessions

/// The sessions' part of the settings.
struct SessionSettings {
    private let provider: String
    /// See `Application.allowsManyProcesses`.
    let allowsManyProcesses: Bool
    private var parameters: [String: String] = [:]
    private var configuration = SessionConfiguration()

    init(_ options: ServerOptions, _ reader: SettingReader) throws {
        provider = reader.text(options.provider, "provider")?.text ?? "memory"
        configuration.cookieName = reader.text(options.cookieName, "cookie-name")?.text ?? "sid"
        configuration.secure = try reader.choice(
            options.cookieSecure, "cookie-secure", ["auto": .automatic, "always": .always, "never": .never],
            default: .automatic)
        configuration.idleTimeout = try reader.duration(options.idleTimeout, "idle-timeout", default: .seconds(1800))
        try reader.refuse(options.maxLifetime, "max-lifetime", now: "absolute-timeout")
        configuration.absoluteTimeout = try reader.duration(
            options.absoluteTimeout, "absolute-timeout", default: max(.seconds(43_200), configuration.idleTimeout))
        let sessionsPerUser = try reader.integer(options.sessionsPerUser, "sessions-per-user", default: 100)
        configuration.maximumSessionsPerUser = sessionsPerUser == 0 ? nil : sessionsPerUser
        configuration.newSessionLimit = try Self.newSessionLimit(options, reader)
        allowsManyProcesses = try reader.flag(
            options.allowManyProcesses ? true : nil, "allow-many-processes", default: false)
        if provider == "memory" { parameters = try Self.memoryParameters(options, reader) }
    }

    private static func memoryParameters(
        _ options: ServerOptions, _ reader: SettingReader
    ) throws -> [String: String] {
        var parameters: [String: String] = [:]
        parameters["maximumSessions"] = String(
            try reader.integer(options.maxSessions, "max-sessions", default: 100_000))
        if reader.text(options.maxSessionMemory, "max-session-memory") != nil {
            parameters["maximumBytes"] = String(
                try reader.size(options.maxSessionMemory, "max-session-memory", default: 256 << 20))
        }
        if let (path, _) = reader.text(options.state, "state") {
            let interval = try reader.duration(options.stateInterval, "state-interval", default: .seconds(300))
            guard interval.components.attoseconds == 0 else {
                throw ConfigurationError(
                    field: reader.field(of: "state-interval"),
                    reason: "\(interval) is not a whole number of seconds",
                    remedy: "give 1s to 1d"
                )
            }
            parameters["state"] = path
            parameters["stateInterval"] = String(interval.components.seconds)
        }
        return parameters
    }

    private static func newSessionLimit(_ options: ServerOptions, _ reader: SettingReader) throws -> NewSessionLimit? {
        guard let (text, field) = reader.text(options.newSessions, "new-sessions") else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let count = Int(parts[0]) else {
            throw ConfigurationError(
                field: field, reason: "\"\(text)\" is not a number per time", remedy: "write it as 600/1m")
        }
        return NewSessionLimit(count, per: try reader.duration(parts[1], "new-sessions", default: .seconds(60)))
    }

    /// Whether no other process may serve the same sockets.
    var areLocalToProcess: Bool { provider == "memory" && !allowsManyProcesses }

    /// - Parameters:
    ///   - credentials: A user's session ends when its user is not among them, or has a new password.
    ///   - isTrial: True only looks whether the state file could be used, since another process may be using it.
    func makeManager(
        logger: Logger, credentials: (any CredentialVerifier)?, isTrial: Bool
    ) throws -> SessionManager {
        MemoryProvider.register()
        var parameters = parameters
        if isTrial {
            if let path = parameters["state"] { try MemoryProvider.StateFile(path: path).checkAccess() }
            parameters["state"] = nil
            parameters["stateInterval"] = nil
        }
        var configuration = configuration
        configuration.logger = logger
        configuration.stampCheck = { user, stamp in
            guard let stamp, let credential = credentials?.credential(of: user) else { return false }
            return ConstantTime.isEqual(stamp, credential.stamp)
        }
        return try SessionManager(provider: provider, parameters: parameters, configuration: configuration)
    }
}
