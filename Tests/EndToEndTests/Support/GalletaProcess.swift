import Foundation
import Glibc
import TestSupport

/// The built executable, started in one of the ways an operator would.
final class GalletaProcess: Sendable {
    let folder: TemporaryFolder
    let socket: String
    let process: ChildProcess

    /// Beside the test bundle; GALLETA_SERVER names another.
    static let program: String =
        ProcessInfo.processInfo.environment["GALLETA_SERVER"]
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/galleta-server"

    /// By `--listen`.
    init(_ options: [String] = [], environment: [String: String] = [:]) throws {
        folder = try TemporaryFolder()
        socket = folder.file("s.sock")
        process = try ChildProcess(
            Self.program, ["--listen", "unix:\(socket)", "--workers", "2"] + options, log: folder.file("log"),
            environment: environment)
        try waitUntilItAnswers()
    }

    /// By another program that gets the socket's path, and the executable's own command line.
    init(startedBy start: (_ socket: String, _ command: [String]) -> (String, [String])) throws {
        folder = try TemporaryFolder()
        socket = folder.file("s.sock")
        let (starter, arguments) = start(socket, [Self.program, "--workers", "2"])
        process = try ChildProcess(starter, arguments, log: folder.file("log"))
        try waitUntilItAnswers()
    }

    private func waitUntilItAnswers() throws {
        let answers = eventually(within: 20) {
            (try? FastCGIClient(unix: socket, within: 0).exchange("GET", "/app/ping").text) == "pong\n"
        }
        guard answers else { throw FastCGIClient.Failure(description: "the server does not answer: \(log)") }
    }

    var log: String { folder.read("log") }

    /// The password of the demo user, from the log.
    var demoPassword: String? {
        log.split(separator: "\n").first { $0.contains("with the password") }
            .flatMap { $0.split(separator: "\"").last }.map(String.init)
    }

    func fastCGI() throws -> FastCGIClient { try FastCGIClient(unix: socket) }
}

/// A listening unix socket that a test makes and hands to servers as descriptor 0.
final class InheritedSocket: Sendable {
    let fd: Int32
    let folder: TemporaryFolder
    var path: String { folder.file("s.sock") }

    init() throws {
        folder = try TemporaryFolder()
        fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = folder.file("s.sock")
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let fd = fd
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && listen(fd, 1024) == 0
            }
        }
        guard result else { throw FastCGIClient.Failure(description: "bind \(path)") }
    }

    deinit {
        close(fd)
    }

    func start(_ options: [String] = []) throws -> ChildProcess {
        try ChildProcess(
            GalletaProcess.program, ["--workers", "2"] + options, log: folder.file("log-\(UUID().uuidString)"),
            input: fd)
    }
}
