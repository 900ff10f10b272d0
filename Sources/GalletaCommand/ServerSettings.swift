internal import FastCGI
internal import Galleta
internal import GalletaPlatform
internal import Glibc
internal import Logging

/// What the command line, the environment and the file of settings say, checked.
struct ServerSettings {
    let server: Server.Configuration
    let sessions: SessionSettings
    let writesAccessLog: Bool
    let logLevel: Logger.Level
    private let addresses: [String]
    private let socketMode: UInt32
    private let allow: [String]
    /// Where the log goes.
    let log: LogWriter
    /// Whether the line of a request is an object.
    let writesAccessLogAsJSON: Bool
    /// The address of the control socket.
    let control: (text: String, field: String)?
    /// The path of the status page, and who may see it.
    let statusPage: (path: String, allow: [String])?
    let names: SettingNames

    /// - Parameter log: Where a log goes that is open already; its setting is looked at all the same.
    init(_ options: ServerOptions, _ reader: SettingReader, log open: LogWriter? = nil) throws {
        names = SettingNames(reader: reader)
        server = try Self.server(options, reader)
        sessions = try SessionSettings(options, reader)
        logLevel = try reader.choice(
            options.logLevel, "log-level",
            [
                "trace": .trace, "debug": .debug, "info": .info, "notice": .notice, "warning": .warning,
                "error": .error,
                "critical": .critical,
            ], default: .info)
        writesAccessLog = try reader.flag(options.accessLog, "access-log", default: true)
        writesAccessLogAsJSON = try reader.choice(
            options.accessLogFormat, "access-log-format", ["text": false, "json": true], default: false)
        let logFile = reader.text(options.logFile, "log-file")
        if let open {
            log = open
        } else if options.checkConfig {
            // It leaves nothing behind, and what it has to say is for whoever asks.
            if let (path, field) = logFile { try Self.checkLogFile(path, field) }
            log = .standardError
        } else if let (path, field) = logFile {
            log = try reader.naming(field) { try LogWriter.ofProcess(file: path) }
        } else {
            log = .standardError
        }
        control = reader.text(options.control, "control")
        statusPage = try Self.statusPage(options, reader)
        addresses = reader.list(options.listen, "listen")
        allow = reader.list(options.allow, "allow")
        socketMode = try Self.mode(options, reader)
    }

    private static func checkLogFile(_ path: String, _ field: String) throws {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard access(path, F_OK) == 0 ? access(path, W_OK) != 0 : access(folder, W_OK | X_OK) != 0 else { return }
        throw ConfigurationError(
            field: field, reason: "\(path) cannot be opened: \(String(cString: strerror(errno)))",
            remedy: "make its folder, and give the process's user the right to write there")
    }

    private static func server(_ options: ServerOptions, _ reader: SettingReader) throws -> Server.Configuration {
        var server = Server.Configuration()
        server.workers = try reader.integer(options.workers, "workers", default: server.workers)
        let (mount, field) = reader.text(options.mount, "mount") ?? ("/app", "--mount")
        server.mount = try reader.naming(field) { try MountPoint(mount) }
        server.address = try address(options, reader)
        server.maxConnections = try reader.integer(
            options.maxConnections, "max-connections", default: server.maxConnections)
        server.maxBodyBytes = try reader.size(options.maxBody, "max-body", default: server.maxBodyBytes)
        server.maxHeadBytes = try reader.size(options.maxHead, "max-head", default: server.maxHeadBytes)
        server.headTimeout = try reader.duration(options.headTimeout, "head-timeout", default: server.headTimeout)
        server.bodyTimeout = try reader.duration(options.bodyTimeout, "body-timeout", default: server.bodyTimeout)
        server.handlerTimeout = try reader.duration(
            options.handlerTimeout, "handler-timeout", default: server.handlerTimeout)
        server.writeTimeout = try reader.duration(options.writeTimeout, "write-timeout", default: server.writeTimeout)
        server.idleTimeout = try reader.duration(
            options.connectionTimeout, "connection-timeout", default: server.idleTimeout)
        server.shutdownGrace = try reader.duration(
            options.shutdownGrace, "shutdown-grace", default: server.shutdownGrace)
        if reader.text(options.slowLog, "slow-log") != nil {
            server.slowRequestTime = try reader.duration(options.slowLog, "slow-log", default: .zero)
        }
        return server
    }

    private static func address(_ options: ServerOptions, _ reader: SettingReader) throws -> RequestAddress {
        guard let (text, field) = reader.text(options.address, "address") else { return .requestURI }
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            .map { ByteString(Substring($0)) }
        let form: RequestAddress.Form? =
            switch parts.count > 1 ? parts[1] : "raw" {
            case "raw": .raw
            case "decoded": .decoded
            default: nil
            }
        guard let form else {
            throw ConfigurationError(
                field: field,
                reason: "\"\(text)\" has no known form",
                remedy: "give NAME:raw or NAME:decoded, such as GALLETA_PATH:decoded"
            )
        }
        return try reader.naming(field) { try RequestAddress(parts[0], form: form) }
    }

    private static func statusPage(
        _ options: ServerOptions, _ reader: SettingReader
    ) throws -> (path: String, allow: [String])? {
        let allow = reader.list(options.statusAllow, "status-allow")
        if let wrong = allow.first(where: { AddressRange($0) == nil }) {
            throw ConfigurationError(
                field: reader.field(of: "status-allow"), reason: "\"\(wrong)\" is no address and no range",
                remedy: "give one such as 127.0.0.1 or 10.0.0.0/8")
        }
        guard let (path, field) = reader.text(options.statusPage, "status-page") else { return nil }
        let isPlain = !path.utf8.contains { ":*?".utf8.contains($0) }
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count > 1, isPlain else {
            throw ConfigurationError(
                field: field, reason: "\"\(path)\" is no path of a page", remedy: "give one such as /status")
        }
        return (path, allow.isEmpty ? ["127.0.0.1", "::1"] : allow)
    }

    private static func mode(_ options: ServerOptions, _ reader: SettingReader) throws -> UInt32 {
        guard let (text, field) = reader.text(options.socketMode, "socket-mode") else { return 0o660 }
        guard let mode = UInt32(text, radix: 8), mode <= 0o777 else {
            throw ConfigurationError(
                field: field,
                reason: "\"\(text)\" is not a file mode",
                remedy: "give octal digits such as 0660"
            )
        }
        return mode
    }

    // MARK: What is built from it

    func makeLogger() -> Logger {
        let log = log
        var logger = Logger(label: "galleta") { _ in LineLogHandler(writer: log) }
        logger.logLevel = logLevel
        return logger
    }

    /// The addresses given, else what was inherited.
    func makeListeners() throws -> [Listener] {
        guard addresses.isEmpty else {
            return try names.translating(.listeners) {
                try addresses.map { try Listener.at($0, mode: socketMode, allow: allow) }
            }
        }
        let inherited = try names.translating(.listeners) { try Listener.inherited(allow: allow) }
        guard !inherited.isEmpty else {
            throw ConfigurationError(
                field: "--listen",
                reason: "it is missing, and no socket was inherited on descriptor 0 or by LISTEN_FDS",
                remedy:
                    "give --listen unix:/run/galleta/galleta.sock, or start it by spawn-fcgi or a systemd socket unit"
            )
        }
        return inherited
    }

    /// Looks whether a start could listen, and leaves nothing behind. What is inherited at a start is not looked at, and a
    /// server that runs on the same addresses is no fault.
    func checkListeners(logger: Logger) throws {
        for use in try names.translating(.listeners, { try Listener.check(addresses, allow: allow) }) {
            logger.notice("a start would be refused for the moment: \(use)")
        }
        guard let (address, field) = control else { return }
        let uses = try names.translating(.control(field)) { () throws -> [String] in
            try ControlServer.checkIsUnix(address)
            return try Listener.check([address], allow: ControlServer.peers).map { "\($0)" }
        }
        for use in uses { logger.notice("a start would be refused for the moment: \(use)") }
    }
}
