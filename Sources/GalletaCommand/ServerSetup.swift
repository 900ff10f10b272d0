public import Galleta
internal import Sessions

/// What a ``ServerCommand`` is about to serve with: read from options and variables, and still to be changed.
///
/// ```swift
/// func prepare(_ setup: ServerSetup) throws {
///     guard let (path, field) = setup.settings.text(users, "users") else { return }
///     …
///     setup.onApplication { app in … }
/// }
/// ```
///
/// Threading: for the thread of `main()`.
public final class ServerSetup {
    /// Reads settings of the program's own.
    public let settings: SettingReader
    /// Writes to standard error, or to the file of `--log-file`.
    public let logger: Logger
    /// `--check-config`: nothing shall be left behind, and nothing changed that a running server may be using.
    public let isTrial: Bool
    /// How the server runs.
    public var server: Server.Configuration
    /// How sessions behave.
    public var sessions: SessionConfiguration

    private let command: ServerSettings
    private var additions: [(Application) throws -> Void] = []
    private(set) var changes: [SettingChange] = []

    init(_ command: ServerSettings, _ settings: SettingReader, isTrial: Bool) {
        self.command = command
        self.settings = settings
        self.isTrial = isTrial
        logger = command.makeLogger()
        server = command.server
        sessions = command.sessions.configuration
    }

    /// The name of the sessions' provider: `memory`, `redis`, `php`, or one that the program has registered.
    public var providerName: String { command.sessions.provider }

    /// Whether sessions are known to this process only.
    public var areSessionsLocalToProcess: Bool { command.sessions.areLocalToProcess }

    /// Has something done with the application once it is made, after ``ServerCommand/routes(_:)``.
    public func onApplication(_ addition: @escaping (Application) throws -> Void) {
        additions.append(addition)
    }

    /// Has settings of the program's own change while the server runs, when the file of `--config` is read again.
    ///
    /// ```swift
    /// setup.onChange(of: "parcels") { [parcels] settings in
    ///     let count = try settings.integer(parcels, "parcels", default: 100)
    ///     return { warehouse.limit = count }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - names: The options, without their dashes. Of others a reload says that they wait for the next start.
    ///   - read: Reads them, and gives what has them take effect. Where it throws the reload is refused, and nothing changes.
    ///     Both run on a thread of the server's, one reload at a time.
    public func onChange(
        of names: String..., read: @escaping @Sendable (SettingReader) throws -> @Sendable () -> Void
    ) {
        changes.append(SettingChange(names: names, read: read))
    }

    func makeApplication(_ routes: (Application) throws -> Void) throws -> Application {
        let application = Application(
            sessions: try command.names.translating(.sessions) {
                try command.sessions.makeManager(
                    sessions, logger: logger, isTrial: isTrial, concurrency: server.workers)
            },
            configuration: server,
            logger: logger
        )
        application.allowsManyProcesses = command.sessions.allowsManyProcesses
        if !command.writesAccessLog || command.writesAccessLogAsJSON { application.accessLogger = nil }
        if command.writesAccessLog, command.writesAccessLogAsJSON {
            application.onRequest = AccessLog.objects(to: command.log, by: logger)
        }
        let log = command.log
        if log !== LogWriter.standardError { application.onReopen { try log.reopen() } }
        try routes(application)
        if let (path, allow) = command.statusPage {
            application.statusRoutes(path, name: ServerIdentity.current.commandName, allow: allow, log: log)
        }
        for addition in additions { try addition(application) }
        return application
    }
}

/// Settings of the program's own that can change while the server runs.
struct SettingChange: Sendable {
    let names: [String]
    /// Reads them, and gives what has them take effect.
    let read: @Sendable (SettingReader) throws -> @Sendable () -> Void
}
