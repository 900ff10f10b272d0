internal import FastCGI
internal import Galleta
internal import GalletaPlatform
internal import Logging
internal import Sessions

/// What a reload does with the settings: reads their file again, and has take effect what can change while the server runs.
///
/// A file that is not valid changes nothing. Threading: any thread; one reload at a time.
final class SettingsReload: Sendable {
    private struct State {
        var file: SettingsFile
        var notes: [String] = []
    }

    /// How a limit that can change is taken over, by its option.
    private static let limits: [String: @Sendable (inout Server.Configuration, Server.Configuration) -> Void] = [
        "max-body": { $0.maxBodyBytes = $1.maxBodyBytes }, "max-head": { $0.maxHeadBytes = $1.maxHeadBytes },
        "head-timeout": { $0.headTimeout = $1.headTimeout }, "body-timeout": { $0.bodyTimeout = $1.bodyTimeout },
        "handler-timeout": { $0.handlerTimeout = $1.handlerTimeout },
        "write-timeout": { $0.writeTimeout = $1.writeTimeout },
        "connection-timeout": { $0.idleTimeout = $1.idleTimeout },
        "shutdown-grace": { $0.shutdownGrace = $1.shutdownGrace },
        "slow-log": { $0.slowRequestTime = $1.slowRequestTime },
    ]

    /// The names of all that can change.
    static let names = (limits.keys + ["log-level", "new-sessions"]).sorted()

    private let options: ServerOptions
    private let prefix: String
    private let own: [String]
    private let changes: [SettingChange]
    private let known: Set<String>
    /// How settings were given at the start: those of the program's own are not asked for again.
    private let fields: [String: String]
    private let log: LogWriter
    private let control: ApplicationControl
    private let sessions: SessionManager
    private let logger: Logger
    private let state: Locked<State>

    /// - Parameters:
    ///   - file: What counts now.
    ///   - reader: Has read the settings of the start.
    ///   - own: The names of the program's own options.
    ///   - changes: Those of them that can change.
    init(
        _ file: SettingsFile, _ options: ServerOptions, _ reader: SettingReader, own: [String],
        changes: [SettingChange], log: LogWriter, application: Application, logger: Logger
    ) {
        self.options = options
        self.own = own
        self.changes = changes
        self.log = log
        self.logger = logger
        prefix = reader.prefix
        known = reader.known
        fields = reader.fields
        control = application.control
        sessions = application.sessions
        state = Locked(State(file: file))
    }

    /// What came of the last reload, for who asked for it: a line each.
    var notes: [String] { state.withLock { $0.notes } }

    /// - Throws: `ConfigurationError` that names the line; nothing has changed then.
    func run() throws {
        let before = state.withLock { state in
            state.notes = []
            return state.file
        }
        let file = try SettingsFile(path: before.path)
        let reader = SettingReader(environment: ProcessEnvironment(), prefix: prefix)
        reader.file = file
        do {
            let settings = try ServerSettings(options, reader, log: log)
            try UnknownVariables.check(file, reader, own: own, known: known)
            // Also what waits for the next start: it shall not be what keeps the server down then.
            try settings.names.translating(.server) { try settings.server.validate() }
            let own = try changes.map { (names: $0.names, apply: try $0.read(reader)) }
            let notes = try apply(file.changes(from: before), settings, own, reader)
            for note in notes { logger.notice("SIGHUP: \(note)") }
            state.withLock { $0 = State(file: file, notes: notes) }
        } catch let failure as CommandFailure {
            throw failure.setting
                ?? ConfigurationError(field: file.path, reason: failure.message, remedy: "correct it")
        }
    }

    /// Has take effect what can; returns what came of each name.
    private func apply(
        _ names: [String], _ settings: ServerSettings, _ own: [(names: [String], apply: @Sendable () -> Void)],
        _ reader: SettingReader
    ) throws -> [String] {
        guard var configuration = control.configuration else { return [] }
        var (applied, fixed, notes): ([String], [String], [String]) = ([], [], [])
        var limit: NewSessionLimit??
        for name in names {
            let field = reader.fields[name] ?? fields[name]
            if let field, field == "--\(name)" || field.hasPrefix(prefix) {
                notes.append("\(name) has no effect: \(field) has a value, which counts")
            } else if let take = Self.limits[name] {
                take(&configuration, settings.server)
                applied.append(name)
            } else if name == "new-sessions" {
                limit = .some(settings.sessions.configuration.newSessionLimit)
                applied.append(name)
            } else if name == "log-level" || own.contains(where: { $0.names.contains(name) }) {
                applied.append(name)
            } else {
                fixed.append(name)
            }
        }
        // All that can be refused comes before anything changes.
        try settings.names.translating(.server) { try configuration.validate() }
        if let limit { try settings.names.translating(.sessions) { try sessions.changeNewSessionLimit(to: limit) } }
        try control.reconfigure(configuration)
        if applied.contains("log-level") { log.level = settings.logLevel }
        for change in own where change.names.contains(where: applied.contains) { change.apply() }
        if !fixed.isEmpty { notes.insert("\(fixed.joined(separator: ", ")): not before the next start", at: 0) }
        if !applied.isEmpty { notes.insert("\(applied.joined(separator: ", ")): in effect", at: 0) }
        return notes
    }
}
