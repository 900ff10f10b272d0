public import ArgumentParser
internal import FastCGI
public import Galleta
internal import Glibc

/// A program that serves an application: with the options, environment variables, messages and exit codes of
/// `galleta-server`.
///
/// ```swift
/// import GalletaCommand
///
/// @main
/// struct Shop: ServerCommand {
///     @OptionGroup var options: ServerOptions
///     func routes(_ app: Application) throws {
///         app.get("/") { _, _ in "Hello\n" }
///     }
/// }
/// ```
///
/// `shop --help` names the options; each is an environment variable, too, see ``environmentPrefix``, and a line of the file that
/// `--config` names. `shop --check-config`
/// says what a start would refuse. Sessions are kept in memory, in Redis or with PHP (`--provider`), or by what ``prepare(_:)``
/// registers. The exit codes are 0 when it was stopped as asked, 1 for what nobody foresaw, 64 for wrong usage, 69 where it cannot
/// listen, 78 for a wrong configuration.
///
/// Options of its own are properties as in any `ParsableCommand`; ``prepare(_:)`` reads them.
///
/// Threading: the methods are called once, on the thread of `main()`. Handlers run on other threads: they are `@Sendable`, so the
/// compiler refuses one that needs the main actor.
public protocol ServerCommand: ParsableCommand {
    /// The options of the server and its sessions.
    var options: ServerOptions { get }

    /// What the names of environment variables begin with: `GALLETA_` unless the program says otherwise, as in
    /// `GALLETA_WORKERS=8`. The command line wins.
    static var environmentPrefix: String { get }

    /// Adds the routes, steps and hooks.
    ///
    /// - Throws: `ConfigurationError` of a property or of a setting as it was given ends the program with 78.
    func routes(_ app: Application) throws

    /// Reads the settings of the program's own, and changes those of the server and its sessions where the options are not
    /// enough: before the program listens, and for `--check-config`, too. Does nothing unless the program says otherwise.
    ///
    /// - Throws: `ConfigurationError` of a setting as it was given (``SettingReader/field(of:)``) ends the program with 78.
    func prepare(_ setup: ServerSetup) throws
}

extension ServerCommand {
    /// `GALLETA_`
    public static var environmentPrefix: String { "GALLETA_" }

    /// Nothing.
    public func prepare(_ setup: ServerSetup) throws {}

    /// Runs the program with the process's arguments.
    public static func main() {
        ServerIdentity.current = ServerIdentity(environmentPrefix: environmentPrefix, commandName: commandName)
        main(nil)
    }

    /// Serves until a signal, or checks the configuration.
    ///
    /// - Throws: The exit code; the reason has been written to standard error by then.
    public func run() throws {
        // Meant for a server that serves; by default they would end one that still starts.
        // And a file at its size limit is an error of write(2).
        for number in [SIGHUP, SIGUSR2, SIGXFSZ] { signal(number, SIG_IGN) }
        do {
            try serve()
        } catch let failure as CommandFailure {
            throw report(failure)
        } catch let error as ConfigurationError {
            throw report(CommandFailure(error))
        }
    }

    /// The application as the program would serve it, made and not served: for a test of the whole, settings included.
    ///
    /// ```swift
    /// try Shop.parse(["--users", path]).application().test { client in … }
    /// ```
    ///
    /// - Throws: `ConfigurationError` that names the setting as it was given.
    public func application() throws -> Application {
        do {
            let (setup, settings, _) = try prepared()
            let application = try setup.makeApplication(routes)
            try settings.names.translating(.server) { try application.validate() }
            return application
        } catch let failure as CommandFailure {
            throw failure.setting
                ?? ConfigurationError(field: "options", reason: failure.message, remedy: "correct them")
        }
    }

    private func prepared() throws -> (ServerSetup, ServerSettings, SettingReader) {
        let reader = SettingReader(environment: ProcessEnvironment(), prefix: Self.environmentPrefix)
        if let (path, field) = reader.text(options.config, "config") {
            do throws(ConfigurationError) {
                reader.file = try SettingsFile(path: path)
            } catch {
                // Of the file itself, or of a line, which says where it is.
                guard error.field == path else { throw error }
                throw ConfigurationError(field: field, reason: "\(path): \(error.reason)", remedy: error.remedy)
            }
        }
        let settings = try ServerSettings(options, reader)
        let setup = ServerSetup(settings, reader, isTrial: options.checkConfig)
        try prepare(setup)
        if let file = reader.file { try UnknownVariables.check(file, reader, own: ownNames) }
        return (setup, settings, reader)
    }

    /// The names of the program's own options.
    private var ownNames: [String] { UnknownVariables.names(of: self).filter { $0 != "options" } }

    private func serve() throws {
        let (setup, settings, reader) = try prepared()
        let names = settings.names
        try names.translating(.server) { try setup.server.validate() }
        for warning in UnknownVariables.warnings(reader, command: Self.commandName) {
            setup.logger.warning("\(warning)")
        }
        guard !setup.isTrial else {
            try settings.checkListeners(logger: setup.logger)
            try names.translating(.server) { try setup.makeApplication(routes).validate() }
            print("the configuration is valid")
            return
        }
        // Before the sessions: connections wait in the socket while a large state file is read.
        let listeners = try settings.makeListeners()
        if setup.areSessionsLocalToProcess {
            try names.translating(.listeners) { try listeners.forEach { try $0.claim(logger: setup.logger) } }
        }
        let application = try setup.makeApplication(routes)
        setup.logger.info("sessions are kept", metadata: settings.sessions.description(of: application.sessions))
        let reload = reader.file.map { file in
            SettingsReload(
                file, options, reader, own: ownNames, changes: setup.changes, log: settings.log,
                application: application, logger: setup.logger)
        }
        if let reload { application.onReload { try reload.run() } }
        let control = try settings.control.map { text, field in
            try names.translating(.control(field)) {
                try ControlServer(
                    text, application: application, name: Self.commandName, log: settings.log, reload: reload,
                    logger: setup.logger)
            }
        }
        try control?.start()
        defer { control?.stop() }
        try names.translating(.server) { try application.run(listeners: listeners) }
    }

    private func report(_ failure: CommandFailure) -> ExitCode {
        LogWriter.standardError.write("\(Self.commandName): \(failure.message)\n")
        return ExitCode(failure.code)
    }

    private static var commandName: String {
        configuration.commandName ?? CommandLine.arguments.first?.split(separator: "/").last.map(String.init)
            ?? "server"
    }
}
