public import ArgumentParser
internal import FastCGI
internal import Galleta
internal import Glibc

/// `ctl`: asks a running server, and has it do things, over its control socket. A subcommand for a ``ServerCommand``:
///
/// ```swift
/// static let configuration = CommandConfiguration(commandName: "shop", subcommands: [ControlCommand.self])
/// ```
///
/// The server must have been started with `--control unix:/run/shop/control.sock`; only root and its own user are let in.
public struct ControlCommand: ParsableCommand {
    /// `ctl` and its subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "ctl",
        abstract: "Asks a running server, and has it do things, over its control socket.",
        discussion: """
            The server must have been started with --control unix:PATH; only root and the server's own user are let in. \
            Exit codes: 0 done, 1 refused or failed, 64 wrong usage, 69 no server there.
            """,
        subcommands: [
            Status.self, Top.self, Sessions.self, End.self, LogLevel.self, Reload.self, Save.self, Stop.self,
        ])

    /// For the parser.
    public init() {}

    struct Socket: ParsableArguments {
        @Option(
            help: """
                The control socket. (default: \(ServerIdentity.current.controlVariable), else \
                \(ServerIdentity.current.controlSocket))
                """)
        var socket: String?

        /// Asks, prints the answer, and ends the process with 1 where it is a refusal.
        func perform(_ method: String, _ target: String) throws {
            let reply = try ask(method, target)
            guard reply.status < 300 else {
                LogWriter.standardError.write("ctl: \(reply.body.isEmpty ? "refused (\(reply.status))\n" : reply.body)")
                throw ExitCode(1)
            }
            print(reply.body, terminator: "")
        }

        func ask(_ method: String, _ target: String) throws -> ControlClient.Reply {
            let server = ServerIdentity.current
            let variable = getenv(server.controlVariable).map { String(cString: $0) }
            var path = socket ?? variable.flatMap { $0.isEmpty ? nil : $0 } ?? server.controlSocket
            if path.hasPrefix("unix:") { path.removeFirst(5) }
            do throws(ControlClient.Failure) {
                return try ControlClient(path: path).ask(method, target)
            } catch {
                LogWriter.standardError.write("ctl: \(error.message)\n")
                throw ExitCode(EX_UNAVAILABLE)
            }
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints what the server is doing.")
        @OptionGroup var socket: Socket
        @Flag(help: "With the requests that are being answered, and the settings.") var full = false
        @Flag(help: "As JSON.") var json = false
        @Flag(help: "As OpenMetrics.") var openmetrics = false

        func run() throws {
            let form = json ? "json" : openmetrics ? "openmetrics" : ""
            try socket.perform("GET", "/status?\(form)\(full ? "&full" : "")")
        }
    }

    struct Top: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows how busy the server is, and with which requests, again and again, until Ctrl-C.")
        @OptionGroup var socket: Socket
        @Option(help: "Seconds between two looks.") var interval = 2.0
        @Option(help: "How many looks; 0 is no end.") var count = 0

        func validate() throws {
            guard (0.1...3_600).contains(interval) else { throw ValidationError("--interval is from 0.1 to 3600") }
        }

        func run() throws {
            let isTerminal = isatty(1) == 1
            var round = 0
            while true {
                let reply = try socket.ask("GET", "/status?top")
                // Drawn over what was there, line by line: nothing flickers.
                let clear = isTerminal ? "\u{1b}[K" : ""
                let lines = reply.body.split(separator: "\n", omittingEmptySubsequences: false)
                print(
                    (isTerminal ? "\u{1b}[H" : "") + lines.map { $0 + clear }.joined(separator: "\n")
                        + (isTerminal ? "\u{1b}[J" : ""))
                fflush(nil)
                round += 1
                if count > 0, round >= count { return }
                usleep(useconds_t(interval * 1_000_000))
            }
        }
    }

    struct Sessions: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the sessions of a user.")
        @OptionGroup var socket: Socket
        @Argument(help: "The user's name.") var user: String

        func run() throws {
            try socket.perform("GET", "/sessions?" + (["user": user] as FormFields).urlEncoded)
        }
    }

    struct End: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Ends all sessions of a user, or of all users.")
        @OptionGroup var socket: Socket
        @Argument(help: "The user's name.") var user: String?
        @Flag(help: "Of all users.") var all = false

        func validate() throws {
            guard (user == nil) == all else { throw ValidationError("Give a user's name, or --all.") }
        }

        func run() throws {
            let query = user.map { (["user": $0] as FormFields).urlEncoded } ?? "all"
            try socket.perform("POST", "/end?" + query)
        }
    }

    struct LogLevel: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "log-level", abstract: "Prints the log level, or sets it until the server's end.")
        @OptionGroup var socket: Socket
        @Argument(help: "trace, debug, info, notice, warning, error or critical.") var level: String?

        func run() throws {
            guard let level else { return try socket.perform("GET", "/log-level") }
            try socket.perform("POST", "/log-level?" + (["level": level] as FormFields).urlEncoded)
        }
    }

    struct Reload: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Has files read again, as SIGHUP does, and says what came of it.")
        @OptionGroup var socket: Socket

        func run() throws { try socket.perform("POST", "/reload") }
    }

    struct Save: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Has the sessions saved now.")
        @OptionGroup var socket: Socket

        func run() throws { try socket.perform("POST", "/save") }
    }

    struct Stop: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stops the server, as SIGTERM does: what is in flight is finished.")
        @OptionGroup var socket: Socket

        func run() throws { try socket.perform("POST", "/stop") }
    }
}
