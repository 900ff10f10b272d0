internal import FastCGI
internal import Galleta
internal import GalletaPlatform
internal import Glibc
internal import HTTPTypes
internal import Logging
internal import Sessions

/// What an operator can ask of a running server, and have it do, over a unix socket of its own: for root and the server's own
/// user, by the kernel's word.
///
/// It is a FastCGI server beside the other, with workers of its own: it answers when all others are held up.
struct ControlServer {
    private let server: Server

    /// - Parameters:
    ///   - address: `unix:/run/galleta/control.sock`.
    ///   - name: The program's.
    ///   - log: Where the log goes.
    ///   - reload: Says what came of a reload, if there is a file of settings.
    init(
        _ address: String, application: Application, name: String, log: LogWriter,
        reload: SettingsReload?, logger: Logger
    ) throws {
        try Self.checkIsUnix(address)
        // Nobody else could connect; and whoever could is asked for by name.
        let listener = try Listener.at(address, mode: 0o600, allow: Self.peers)
        var configuration = Server.Configuration()
        configuration.workers = 2
        configuration.maxConnections = 32
        configuration.mount = try MountPoint("/")
        let handler = ControlHandler(
            status: application.statusSource(name: name, log: log), sessions: application.sessions, log: log,
            control: application.control, reload: reload, logger: logger)
        var quiet = logger
        quiet.logLevel = .warning
        server = try Server(configuration: configuration, listeners: [listener], logger: quiet) { request in
            try handler.response(to: request)
        }
    }

    /// Root, beside the server's own user.
    static let peers = ["user:0"]

    static func checkIsUnix(_ address: String) throws(ConfigurationError) {
        guard !address.hasPrefix("unix:") else { return }
        throw ConfigurationError(
            field: "control", reason: "\"\(address)\" is no unix socket",
            remedy: "give unix:/run/galleta/control.sock: who may stop a server is told by the kernel")
    }

    func start() throws {
        _ = try server.start()
    }

    func stop() {
        server.shutdown()
        server.shutdown()
        server.finish(patience: .zero)
    }
}

/// Answers what was asked.
private struct ControlHandler: Sendable {
    let status: StatusSource
    let sessions: SessionManager
    let log: LogWriter
    let control: ApplicationControl
    let reload: SettingsReload?
    let logger: Logger

    func response(to request: Request) throws -> Response {
        do {
            return try answer(request)
        } catch let error as SessionError where error.code == .unsupported {
            return .text("\(error.message)\n", status: .conflict)
        } catch let error as SessionStoreError where error.reason == .unsaved {
            return .text(
                "it is done, and could not be put on the disk, so that a crash may undo it: \(error.message)\n",
                status: .conflict)
        }
    }

    private func answer(_ request: Request) throws -> Response {
        let name = request.path.dropFirst()
        if request.method == .get {
            switch name {
            case "status": return try status.response(form: request.query)
            case "sessions": return .text(try list(of: try user(request)))
            case "log-level": return .text("\(logger.logLevel)\n")
            default: return unknown
            }
        }
        guard request.method == .post else { return unknown }
        logger.notice(
            "control: \(LogText.clean(String(name)))", metadata: ["query": "\(LogText.clean(request.queryString))"])
        switch name {
        case "end": return try end(request)
        case "log-level":
            guard let level = Logger.Level(rawValue: request.query["level"] ?? "") else {
                return .text(
                    "give one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))\n",
                    status: .badRequest)
            }
            log.level = level
            return .text("\(level)\n")
        case "reload":
            return readAgain()
        case "save":
            guard let provider = sessions.provider as? any PersistentProvider else {
                return .text("this provider keeps nothing that could be saved\n", status: .conflict)
            }
            do {
                return .text(try provider.save())
            } catch let error as SessionStoreError {
                return .text("\(error.message)\n", status: .conflict)
            }
        case "stop":
            kill(getpid(), SIGTERM)
            return .text("stopping\n")
        default: return unknown
        }
    }

    /// Does as SIGHUP does, and says what came of it.
    private func readAgain() -> Response {
        let begun = control.reloads.withLock { $0.begun }
        kill(getpid(), SIGHUP)
        let outcome = control.reloads.wait(until: { $0.ended > begun }, timeout: .seconds(5)) {
            $0.ended > begun ? $0 : nil
        }
        guard let outcome else { return .text("reloading; the log will say what came of it\n") }
        let failures = outcome.failures.map { "not read again, what was read before stays in use: \($0)" }
        let lines = (failures.isEmpty ? ["read again"] : failures) + (reload?.notes ?? [])
        return .text(
            lines.map { LogText.line($0) + "\n" }.joined(), status: failures.isEmpty ? .ok : .conflict)
    }

    private var unknown: Response { .text("there is no such command\n", status: .notFound) }

    private func user(_ request: Request) throws -> ByteString {
        guard let user = request.query["user"], !user.isEmpty else {
            throw HTTPError(.badRequest, "give a user's name")
        }
        return ByteString(user)
    }

    private func list(of user: ByteString) throws -> String {
        let list = try sessions.sessions(of: user, limit: 100)
        let lines = list.sessions.map { session in
            "\(session.reference.rawValue)  began \(words(session.age)) ago, last seen \(words(session.idle)) ago  "
                + LogText.clean(session.client ?? "") + "\n"
        }
        return lines.joined() + (list.more > 0 ? "and \(list.more) more\n" : "")
    }

    private func end(_ request: Request) throws -> Response {
        guard request.query["all"] != nil else {
            return .text("\(try sessions.endSessions(of: try user(request))) ended\n")
        }
        guard let provider = sessions.provider as? any ListingProvider else {
            return .text("this provider cannot list its sessions: nothing was ended\n", status: .conflict)
        }
        var position: SessionListPosition?
        var users: Set<ByteString> = []
        repeat {
            let page = try provider.sessions(from: position, limit: 1_000)
            users.formUnion(page.sessions.compactMap(\.values.user))
            position = page.next
        } while position != nil
        let count = try sessions.endSessions(of: users)
        return .text("\(count) ended, of \(users.count) users\n")
    }

    private func words(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        return seconds < 120 ? "\(seconds) s" : seconds < 7_200 ? "\(seconds / 60) min" : "\(seconds / 3_600) h"
    }
}
