import Foundation
import GalletaPlatform
import Glibc

/// A real redis-server in a temporary folder, on a unix socket and, where asked for, on ports of 127.0.0.1.
///
/// It answers when `init` and ``restart(keepingData:)`` return, and ends with this object. Safe from any thread.
public final class RedisServer: Sendable {
    /// What kind of server the program becomes.
    enum Role {
        case alone, clusterNode, sentinel
    }

    public let folder: TemporaryFolder
    /// The path of its unix socket.
    public let socket: String
    /// Its plain port of 127.0.0.1.
    public let port: Int?
    /// Its TLS port of 127.0.0.1.
    public let tlsPort: Int?
    /// Where clients and other servers find it: the TLS port, if there is one.
    public var servedPort: Int? { tlsPort ?? port }
    /// Where a cluster's nodes talk to each other.
    let busPort: Int?
    private let role: Role
    /// Its files are read at each start.
    private let tls: TLSIdentity?
    private let clock: MovableClock?
    private let process: Locked<ChildProcess>

    /// - Parameters:
    ///   - lines: Lines of redis.conf (`requirepass secret`, `maxmemory 2mb`, `appendonly yes`, `user …`); they win over
    ///     the defaults here, which are Redis's own but for snapshots: there are none.
    ///   - hasPort: Whether it listens on a free port as well.
    ///   - tls: What it shows on a free TLS port; clients need no certificate unless a line says `tls-auth-clients yes`.
    ///   - hasMovableClock: Whether ``advance(by:)`` works.
    public convenience init(
        _ lines: [String] = [], hasPort: Bool = false, tls: TLSIdentity? = nil, hasMovableClock: Bool = false
    ) throws {
        try self.init(lines, as: .alone, hasPort: hasPort, tls: tls, hasMovableClock: hasMovableClock)
    }

    init(
        _ lines: [String], as role: Role, hasPort: Bool, tls: TLSIdentity? = nil, hasMovableClock: Bool = false
    ) throws {
        (self.role, self.tls) = (role, tls)
        // A port may be taken between the look and the start: then others are tried.
        for attempt in 1... {
            let folder = try TemporaryFolder()
            let socket = folder.file("redis.sock")
            let port = hasPort ? try StablePort.next() : nil
            let tlsPort = tls != nil ? try StablePort.next() : nil
            let busPort = role == .clusterNode ? try StablePort.next() : nil
            var text = [
                "bind 127.0.0.1", "port \(port ?? 0)", "unixsocket \(socket)", "unixsocketperm 777",
                "dir \(folder.file("data"))",
                // For ``cli``, whatever becomes of the default user.
                "user \(Self.ownUser) on nopass ~* &* +@all",
            ]
            if role != .sentinel { text.append("save \"\"") }
            if let busPort {
                // By itself it would be 10,000 beyond the port, wherever that is.
                text += ["cluster-enabled yes", "cluster-port \(busPort)", "cluster-node-timeout 2000"]
            }
            if let tls, let tlsPort {
                text += [
                    "tls-port \(tlsPort)", "tls-cert-file \(tls.certificate)", "tls-key-file \(tls.key)",
                    "tls-ca-cert-file \(tls.authority)", "tls-auth-clients no", "tls-replication yes",
                    "tls-cluster yes",
                ]
            }
            try (text + lines).map { $0 + "\n" }.joined()
                .write(toFile: folder.file("redis.conf"), atomically: true, encoding: .utf8)
            let clock = hasMovableClock ? try MovableClock(in: folder) : nil
            let process = try Self.start(in: folder, as: role, clock)
            if Self.answers(process, at: socket) {
                (self.folder, self.socket, self.clock) = (folder, socket, clock)
                (self.port, self.tlsPort, self.busPort) = (port, tlsPort, busPort)
                self.process = Locked(process)
                return
            }
            process.signal(SIGKILL)
            guard attempt < 5, process.output.contains("Failed listening on port") else {
                throw TestFailure(description: "redis-server did not start: \(process.output)")
            }
        }
        fatalError("unreachable")
    }

    deinit {
        // Not SIGTERM: it may wait for replicas and scripts, and nobody will read the data.
        kill()
    }

    /// A user who may do everything, with any password.
    static let ownUser = "test-support"

    private static func start(
        in folder: TemporaryFolder, as role: Role, _ clock: MovableClock?
    ) throws -> ChildProcess {
        try FileManager.default.createDirectory(atPath: folder.file("data"), withIntermediateDirectories: true)
        return try ChildProcess(
            "redis-server", [folder.file("redis.conf")] + (role == .sentinel ? ["--sentinel"] : []),
            log: folder.file("log"), environment: clock?.environment ?? [:])
    }

    /// Moves its clock forward, for one that has such a clock.
    public func advance(by duration: Duration) throws {
        guard let clock else { throw TestFailure(description: "this server's clock cannot be moved") }
        try clock.advance(by: duration)
    }

    /// Waits until the server at the socket has loaded its data; false if it ends before, or takes too long.
    private static func answers(_ process: ChildProcess, at socket: String) -> Bool {
        let isUp = eventually(within: 20) {
            guard process.isRunning else { return true }
            guard let connection = try? StreamSocket(unix: socket, within: 0) else { return false }
            try? connection.send(Array("PING\r\n".utf8))
            let answer = String(decoding: (try? connection.receive(within: 1000)) ?? [], as: UTF8.self)
            // A default user who may do nothing is the test's wish.
            return ["+PONG", "-NOAUTH", "-NOPERM"].contains { answer.hasPrefix($0) }
        }
        return isUp && process.isRunning
    }

    public var pid: Int32 { current.pid }

    public var isRunning: Bool { current.isRunning }

    /// What it has logged since the first start.
    public var log: String { folder.read("log") }

    private var current: ChildProcess { process.withLock { $0 } }

    /// Ends it by SIGKILL, as a crash would: what is not on disk is lost, connections are cut.
    public func kill() {
        let process = current
        process.signal(SIGKILL)
        _ = process.exitCode(within: 10)
    }

    /// Ends it by SIGTERM, also while it is paused; the files stay.
    public func stop() {
        resume()
        current.stop()
    }

    /// Starts it again at the same addresses, once it has ended; one that still runs is ended first.
    ///
    /// - Parameter keepingData: Whether it finds its files again: of one that runs, all its data; of one that was killed
    ///   or stopped, what it had written by then (all of it with `appendonly yes`, nothing by default).
    public func restart(keepingData: Bool = true) throws {
        if isRunning {
            if keepingData {
                resume()
                if role != .sentinel { try cli("SAVE") }
                stop()
            } else {
                kill()
            }
        }
        if !keepingData { try FileManager.default.removeItem(atPath: folder.file("data")) }
        // Somebody else's short connection may have the port at this moment.
        let deadline = BootInstant.now.advanced(by: .seconds(10))
        while true {
            let started = try Self.start(in: folder, as: role, clock)
            process.withLock { $0 = started }
            if Self.answers(started, at: socket) { return }
            kill()
            guard BootInstant.now < deadline, log.hasSuffix("aborting.\n") else {
                throw TestFailure(description: "redis-server did not start again: \(log)")
            }
        }
    }

    /// Stops its clock (SIGSTOP): it accepts connections and bytes, and answers nothing.
    public func pause() {
        current.pause()
    }

    /// Lets it go on after ``pause()`` (SIGCONT).
    public func resume() {
        current.signal(SIGCONT)
    }

    /// Runs redis-cli on the unix socket and returns what it prints, without the last line end.
    ///
    /// As a user of its own who may do everything, whatever the configuration says; `--user` and `--pass` before the
    /// command name another. Values that are not UTF-8 need `--no-raw`.
    ///
    /// - Throws: ``TestFailure`` with the text of an error that the server answers, or with redis-cli's.
    @discardableResult
    public func cli(_ arguments: String...) throws -> String {
        try cli(arguments)
    }

    /// The same with the arguments in an array.
    @discardableResult
    public func cli(_ arguments: [String]) throws -> String {
        let result = try ChildProcess.run(
            "redis-cli",
            ["-s", socket, "--user", Self.ownUser, "--pass", "any", "--no-auth-warning", "-e"] + arguments)
        let text = String(result.output.drop { $0 == "\n" })
        guard result.code == 0 else {
            throw TestFailure(description: text.trimmingCharacters(in: .newlines))
        }
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// A field of `INFO everything`, as `used_memory` or `role`; nil if there is none of that name.
    public func info(_ field: String) throws -> String? {
        try cli("INFO", "everything").split(whereSeparator: \.isNewline)
            .first { $0.hasPrefix(field + ":") }.map { String($0.dropFirst(field.utf8.count + 1)) }
    }
}
