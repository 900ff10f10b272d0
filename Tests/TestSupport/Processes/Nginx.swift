import Foundation
import Glibc

/// A real nginx with the configuration that this project ships, on a free port of 127.0.0.1.
public final class Nginx: Sendable {
    public let port: Int
    public let folder: TemporaryFolder
    private let process: ChildProcess

    /// - Parameters:
    ///   - socket: The unix socket of the FastCGI server.
    ///   - edit: Changes the configuration before nginx reads it.
    public init(socket: String, edit: (String) -> String = { $0 }) throws {
        // The port may be taken between the look and the start: then another is tried.
        for attempt in 1... {
            let folder = try TemporaryFolder()
            let port = try Self.freePort()
            try Self.write(folder: folder, port: port, socket: socket, edit: edit)
            let process = try ChildProcess(
                "nginx", ["-e", folder.file("nginx-error.log"), "-c", folder.file("nginx.conf"), "-g", "daemon off;"],
                log: folder.file("nginx-output"))
            let isUp = eventually(within: 20) { !process.isRunning || (try? HTTPClient(port: port)) != nil }
            if isUp, process.isRunning {
                (self.port, self.folder, self.process) = (port, folder, process)
                return
            }
            guard attempt < 3 else {
                throw HTTPClientFailure(text: process.output + folder.read("nginx-error.log"))
            }
        }
        fatalError("unreachable")
    }

    deinit {
        process.stop()
    }

    public var errorLog: String { folder.read("nginx-error.log") }

    public func client() throws -> HTTPClient { try HTTPClient(port: port) }

    /// The repository's folder.
    public static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    private static func write(
        folder: TemporaryFolder, port: Int, socket: String, edit: (String) -> String
    ) throws {
        let script = ". '\(repository)/deploy/lib.sh'; write_nginx_conf '\(folder.path)' \(port) '\(socket)'"
        let result = try ChildProcess.run("bash", ["-c", script])
        guard result.code == 0 else { throw HTTPClientFailure(text: result.output) }
        let path = folder.file("nginx.conf")
        try edit(String(contentsOfFile: path, encoding: .utf8)).write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// A port that nobody listens on at this moment.
    public static func freePort() throws -> Int {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(fd) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, length) == 0 && getsockname(fd, $0, &length) == 0
            }
        }
        guard bound else { throw HTTPClientFailure(text: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

struct HTTPClientFailure: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}
