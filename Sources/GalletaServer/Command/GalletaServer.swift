internal import ArgumentParser
internal import FastCGI
internal import Galleta
internal import Glibc
internal import Logging
internal import MemorySessions
internal import Sessions

@main
struct GalletaServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "galleta-server",
        abstract: "Session-aware FastCGI endpoints behind nginx, Apache, lighttpd or Caddy.",
        discussion: """
            Without --listen it serves the socket that started it: descriptor 0 (spawn-fcgi) or systemd's LISTEN_FDS. \
            Every option is also an environment variable: GALLETA_ and the option's name, as in GALLETA_WORKERS=8; the \
            command line wins. A variable of that kind that is no option's is warned of.

            Durations are numbers with a unit, 500ms, 90s, 30m, 12h or 7d; sizes are bytes, or 64k, 8m, 1g.

            SIGTERM, SIGINT, SIGQUIT and SIGUSR1 finish what is in flight, save the sessions and stop; a second signal cuts \
            short what is in flight. SIGHUP reads the password file again. SIGUSR2 is logged and ignored.

            The log goes to descriptor 2. Requests never wait for it: what is not taken in time is dropped, and counted in a \
            line that follows.

            Exit codes: 0 stopped as asked, 64 wrong usage, 69 cannot listen, 78 wrong configuration.
            """,
        version: version
    )

    static let version = "0.1.0"

    @OptionGroup var options: ServerOptions

    func run() throws {
        // Meant for a server that serves; by default they would end one that still starts.
        for number in [SIGHUP, SIGUSR2] { signal(number, SIG_IGN) }
        let reader = SettingReader(environment: ProcessEnvironment())
        let names = SettingNames(reader: reader)
        do {
            let settings = try ServerSettings(options, reader)
            let logger = settings.makeLogger()
            if options.checkConfig {
                try settings.check(logger: logger)
                print("the configuration is valid")
                return
            }
            // Before the sessions: connections wait in the socket while a large state file is read.
            let listeners = try settings.makeListeners()
            if settings.sessions.areLocalToProcess {
                try names.translating(.listeners) { try listeners.forEach { try $0.claim(logger: logger) } }
            }
            let application = try settings.makeApplication(logger: logger)
            settings.announce(application, logger)
            try names.translating(.server) { try application.run(listeners: listeners) }
        } catch let failure as CommandFailure {
            throw report(failure)
        } catch let error as ConfigurationError {
            throw report(CommandFailure(error))
        }
    }

    private func report(_ failure: CommandFailure) -> ExitCode {
        LogWriter.standardError.write("galleta-server: \(failure.message)\n")
        return ExitCode(failure.code)
    }
}
