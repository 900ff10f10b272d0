import Foundation
import Glibc

/// A real nginx with the configuration that this project ships, on a free port of 127.0.0.1.
///
/// It needs no rights: as root its workers are root, too, and reach the test's folders. Safe from any thread.
public final class Nginx: Sendable {
    public let port: Int
    public let folder: TemporaryFolder
    private let process: ChildProcess

    /// - Parameters:
    ///   - socket: The unix socket of the FastCGI server.
    ///   - settings: What is to differ from the shipped configuration.
    ///   - edit: Changes the configuration further before nginx reads it.
    public convenience init(
        socket: String, _ settings: NginxSettings = NginxSettings(), edit: (String) throws -> String = { $0 }
    ) throws {
        try self.init(sockets: [socket], settings, edit: edit)
    }

    /// nginx before several FastCGI servers, asked in turn.
    public init(
        sockets: [String], _ settings: NginxSettings = NginxSettings(), edit: (String) throws -> String = { $0 }
    ) throws {
        // The port may be taken between the look and the start: then another is tried.
        for attempt in 1... {
            let folder = try TemporaryFolder()
            let port = try Loopback.freePort()
            try Self.write(folder: folder, port: port, sockets: sockets, settings: settings, edit: edit)
            let process = try ChildProcess(
                "nginx", ["-e", folder.file("nginx-error.log"), "-c", folder.file("nginx.conf"), "-g", "daemon off;"],
                log: folder.file("nginx-output"))
            // nginx writes the file once it has bound its port. A connection would prove less: another program may be
            // the one that answers there.
            let isUp = eventually(within: 20) { !process.isRunning || !folder.read("nginx.pid").isEmpty }
            if isUp, process.isRunning {
                (self.port, self.folder, self.process) = (port, folder, process)
                return
            }
            process.stop()
            let reason = process.output + folder.read("nginx-error.log")
            guard attempt < 5, reason.contains("Address already in use") else {
                throw TestFailure(description: "nginx did not start: \(reason)")
            }
        }
        fatalError("unreachable")
    }

    deinit {
        stop()
    }

    public var errorLog: String { folder.read("nginx-error.log") }

    public var accessLog: String { folder.read("nginx-access.log") }

    public func client() throws -> HTTPClient { try HTTPClient(port: port) }

    /// Ends nginx; the same as dropping this object, at a moment of the test's choice.
    public func stop() {
        process.stop()
    }

    /// The repository's folder.
    public static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    private static func write(
        folder: TemporaryFolder, port: Int, sockets: [String], settings: NginxSettings,
        edit: (String) throws -> String
    ) throws {
        let script = #". "$1/deploy/lib.sh"; shift; write_nginx_conf "$@""#
        let result = try ChildProcess.run(
            "bash",
            ["-c", script, "bash", repository, folder.path, String(port), sockets.first ?? ""]
                + settings.siteLines(sockets: sockets))
        guard result.code == 0 else { throw TestFailure(description: result.output) }
        let path = folder.file("nginx.conf")
        let text = try settings.apply(to: String(contentsOfFile: path, encoding: .utf8))
        try edit(text).write(toFile: path, atomically: true, encoding: .utf8)
    }
}
