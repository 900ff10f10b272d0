import Foundation
import Glibc

/// The built executable, started in one of the ways an operator would.
public final class GalletaProcess: Sendable {
    public let folder: TemporaryFolder
    public let socket: String
    public let process: ChildProcess
    /// The process id of a server that left its starter; it ends with this object.
    public let daemon: Int32?

    /// Beside the test bundle; GALLETA_SERVER names another.
    public static let program: String =
        ProcessInfo.processInfo.environment["GALLETA_SERVER"]
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/galleta-server"

    /// Options with a user who can log in: the demo user, unless there is a password file.
    static func withUser(_ options: [String]) -> [String] {
        options.contains("--htpasswd") || options.contains("--demo") ? options : options + ["--demo"]
    }

    /// By `--listen`.
    ///
    /// - Parameters:
    ///   - hasUser: False: nobody can log in, unless the options say otherwise.
    ///   - errors: Becomes descriptor 2, in place of the file that ``log`` reads.
    ///   - closed: Descriptors that it does not get at all.
    public init(
        _ options: [String] = [], environment: [String: String] = [:], hasUser: Bool = true, errors: Int32? = nil,
        closed: [Int32] = []
    ) throws {
        let options = hasUser ? Self.withUser(options) : options
        folder = try TemporaryFolder()
        socket = folder.file("s.sock")
        process = try ChildProcess(
            Self.program, ["--listen", "unix:\(socket)", "--workers", "2"] + options, log: folder.file("log"),
            environment: environment, errors: errors, closed: closed)
        daemon = nil
        try waitUntilItAnswers()
    }

    /// By another program that gets the socket's path, and the executable's own command line.
    public init(startedBy start: (_ socket: String, _ command: [String]) -> (String, [String])) throws {
        folder = try TemporaryFolder()
        socket = folder.file("s.sock")
        let (starter, arguments) = start(socket, [Self.program, "--workers", "2", "--demo"])
        process = try ChildProcess(starter, arguments, log: folder.file("log"))
        daemon = nil
        try waitUntilItAnswers()
    }

    /// By spawn-fcgi into the background. Its log is lost: spawn-fcgi opens /dev/null for it.
    public init(daemonWithOptions options: [String]) throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        socket = folder.file("s.sock")
        let arguments =
            ["-s", socket, "-P", folder.file("pid"), "--", Self.program, "--workers", "2"]
            + Self.withUser(options)
        process = try ChildProcess("spawn-fcgi", arguments, log: folder.file("log"))
        guard eventually(within: 20, { Int32(folder.read("pid")) != nil }), let pid = Int32(folder.read("pid")) else {
            throw TestFailure(description: "spawn-fcgi wrote no process id: \(process.output)")
        }
        daemon = pid
        try waitUntilItAnswers()
    }

    deinit {
        if let daemon { kill(daemon, SIGKILL) }
    }

    private func waitUntilItAnswers() throws {
        let answers = eventually(within: 20) {
            let reply = try? FastCGIClient(unix: socket, within: 0).exchange("GET", "/app/ping")
            // Where --address names another parameter the answer is that it is missing.
            return reply?.text == "pong\n" || reply?.status == 500
        }
        guard answers else { throw TestFailure(description: "the server does not answer: \(log)") }
    }

    public var log: String { folder.read("log") }

    /// Waits until the log holds a text, which comes a moment after what it is about; true if it does.
    public func hasLogged(_ text: String) -> Bool {
        eventually { log.contains(text) }
    }

    /// The password of the demo user, from the log.
    public var demoPassword: String? {
        guard hasLogged("with the password") else { return nil }
        return log.split(separator: "\n").first { $0.contains("with the password") }
            .flatMap { $0.split(separator: "\"").last }.map(String.init)
    }

    public func fastCGI() throws -> FastCGIClient { try FastCGIClient(unix: socket) }
}
