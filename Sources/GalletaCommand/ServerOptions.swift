public import ArgumentParser

/// The command line of a server and its sessions, for a ``ServerCommand``.
///
/// Every value is optional here: what is not given comes from the environment, then from the defaults.
public struct ServerOptions: ParsableArguments, Sendable {
    /// For the parser.
    public init() {}

    /// What a command's help says of the options together, for `CommandConfiguration`'s discussion.
    ///
    /// - Parameter prefix: As ``ServerCommand/environmentPrefix``.
    public static func discussion(prefix: String = "GALLETA_") -> String {
        """
        Without --listen it serves the socket that started it: descriptor 0 (spawn-fcgi) or systemd's LISTEN_FDS. \
        Every option is also an environment variable: \(prefix) and the option's name, as in \(prefix)WORKERS=8; the \
        command line wins. A variable of that kind that is no option's is warned of. A file of settings (--config) has a line \
        each, as workers = 8, and counts behind both.

        Durations are numbers with a unit, 500ms, 90s, 30m, 12h or 7d; sizes are bytes, or 64k, 8m, 1g.

        SIGTERM, SIGINT, SIGQUIT and SIGUSR1 finish what is in flight, save the sessions and stop; a second signal cuts \
        short what is in flight. SIGHUP has files read again, that of settings included, and the log file opened again, as \
        SIGUSR2 does.

        The log goes to descriptor 2. Requests never wait for it: what is not taken in time is dropped, and counted in a \
        line that follows.

        Exit codes: 0 stopped as asked, 64 wrong usage, 69 cannot listen, 78 wrong configuration.
        """
    }

    @Option(
        help: """
            File of settings, a line each, NAME = VALUE, by the names of these options, # for comments; read again at SIGHUP.
            """)
    var config: String?

    @Option(help: "Address: unix:/run/galleta/galleta.sock or tcp:127.0.0.1:9000. May be repeated.")
    var listen: [String] = []

    @Option(help: "Permissions of a unix socket, octal. (default: 0660)")
    var socketMode: String?

    @Option(
        help: """
            Who may connect: an address or range for TCP (default: loopback), user:www-data for unix sockets (default: \
            by the socket's mode). May be repeated.
            """)
    var allow: [String] = []

    @Option(help: "Threads that run handlers. (default: twice the processors, at least 4)")
    var workers: String?

    @Option(help: "Path under which the web server mounts the application. (default: /app)")
    var mount: String?

    @Option(
        help: """
            FastCGI parameter that holds a request's address, as NAME:raw (as the client sent it) or NAME:decoded (nginx's \
            $uri). (default: REQUEST_URI:raw)
            """)
    var address: String?

    @Option(help: "Session provider. (default: memory)")
    var provider: String?

    @Option(
        help: ArgumentHelp(
            """
            A setting of the provider's own; may be repeated. In the environment variable, whose name ends in SESSION_OPTIONS, \
            blanks stand between them; of one key the command line wins. A password belongs in a file or a variable that a setting names, not here: anyone can read a command line.
            """, valueName: "KEY=VALUE"))
    var sessionOption: [String] = []

    @Option(help: "Name of the session cookie. (default: sid)")
    var cookieName: String?

    @Option(help: "Secure attribute of the cookie: auto (when the request is HTTPS), always, never. (default: auto)")
    var cookieSecure: String?

    @Option(help: "A session ends after this long without a request. (default: the provider's own, or 30m)")
    var idleTimeout: String?

    @Option(help: "A session ends this long after its start, used or not. (default: the provider's own, or 12h)")
    var absoluteTimeout: String?

    /// What `absoluteTimeout` was called: refused, since a lifetime must not change in silence.
    @Option(help: .hidden)
    var maxLifetime: String?

    @Option(help: "Most sessions in memory, as --session-option maximumSessions. (default: 100000)")
    var maxSessions: String?

    @Option(help: "Most memory for sessions. (default: 256m)")
    var maxSessionMemory: String?

    @Option(
        help:
            "File that keeps the sessions over a restart, mode 0600; beside it FILE.journal keeps log-ins and log-outs."
    )
    var state: String?

    @Option(
        help:
            "How often the state file is written; a crash loses later counts and carts, no log-in or log-out. (default: 5m)"
    )
    var stateInterval: String?

    @Option(help: "Most sessions of one user; the least recently seen end at a log-in; 0: any number. (default: 100)")
    var sessionsPerUser: String?

    @Option(help: "New anonymous sessions of one client network, as 600/1m; more get 429. (default: any number)")
    var newSessions: String?

    @Flag(help: "Let several processes serve one socket, each with sessions of its own in memory.")
    var allowManyProcesses = false

    @Option(help: "Most connections at a time. (default: 4096)")
    var maxConnections: String?

    @Option(help: "Largest request body. (default: 8m)")
    var maxBody: String?

    @Option(help: "Largest request head, all FastCGI parameters together. (default: 64k)")
    var maxHead: String?

    @Option(help: "From a connection, and from the first byte of a request head, to the head's end. (default: 10s)")
    var headTimeout: String?

    @Option(help: "Longest pause inside a request body. (default: 15s)")
    var bodyTimeout: String?

    @Option(help: "From the request head to the end of the answer. (default: 60s)")
    var handlerTimeout: String?

    @Option(help: "Longest wait for the web server to read. (default: 30s)")
    var writeTimeout: String?

    @Option(help: "How long an idle connection is kept; longer than the web server keeps it. (default: 120s)")
    var connectionTimeout: String?

    @Option(help: "How long a stopping server waits for requests in flight. (default: 10s)")
    var shutdownGrace: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical. (default: info)")
    var logLevel: String?

    @Option(
        help: """
            Requests that take this long are logged with where the time went: waiting for a worker, body, handler, session \
            store, sending; as 2s. (default: none is)
            """)
    var slowLog: String?

    @Flag(inversion: .prefixedNo, help: "Log one line a request, at level info. (default: --access-log)")
    var accessLog: Bool?

    @Option(help: "How the line of a request is written: text, or json, an object a line. (default: text)")
    var accessLogFormat: String?

    @Option(help: "File for the log; opened again at SIGUSR2 and SIGHUP. (default: descriptor 2)")
    var logFile: String?

    @Option(
        help: """
            Unix socket for "ctl": unix:/run/galleta/control.sock. Root and the server's user may use it. (default: none)
            """)
    var control: String?

    @Option(
        help: """
            Path of a page, below the mount point, that says what the server is doing: ?html, ?json, ?openmetrics or text.
            """)
    var statusPage: String?

    @Option(
        help: """
            Who may see that page: an address or range, compared with the client's as the web server says it. May be repeated. \
            (default: 127.0.0.1 and ::1)
            """)
    var statusAllow: [String] = []

    @Flag(
        help: """
            Check the configuration, the files and folders it names, and its addresses, and exit. Run it as the server's \
            user; it leaves nothing behind. A server that runs on those addresses is told of, and is no fault.
            """)
    var checkConfig = false
}
