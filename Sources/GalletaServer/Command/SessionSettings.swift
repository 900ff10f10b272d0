internal import Logging
internal import MemorySessions
internal import Sessions

/// The sessions' part of the settings.
struct SessionSettings {
    private let provider: String
    private let parameters: [String: String]
    private var configuration = SessionConfiguration()

    init(_ options: ServerOptions, _ reader: SettingReader) throws {
        provider = reader.text(options.provider, "provider")?.text ?? "memory"
        configuration.cookieName = reader.text(options.cookieName, "cookie-name")?.text ?? "sid"
        configuration.secure = try reader.choice(
            options.cookieSecure, "cookie-secure", ["auto": .automatic, "always": .always, "never": .never],
            default: .automatic)
        configuration.idleTimeout = try reader.duration(options.idleTimeout, "idle-timeout", default: .seconds(1800))
        configuration.absoluteTimeout = try reader.duration(
            options.maxLifetime, "max-lifetime", default: max(.seconds(43_200), configuration.idleTimeout))
        let maxSessions = try reader.integer(options.maxSessions, "max-sessions", default: 100_000)
        parameters = provider == "memory" ? ["maximumSessions": String(maxSessions)] : [:]
    }

    func makeManager(logger: Logger) throws -> SessionManager {
        MemoryProvider.register()
        var configuration = configuration
        configuration.logger = logger
        return try SessionManager(provider: provider, parameters: parameters, configuration: configuration)
    }
}
