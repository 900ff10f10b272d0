import Foundation
import Glibc

/// A real web server with the configuration that this project ships for it, on a free port of 127.0.0.1.
///
/// It needs no rights; as root it serves as www-data, which has to be able to open the socket. Safe from any thread.
public final class WebServer: Sendable {
    public enum Kind: String, CaseIterable, Sendable, CustomStringConvertible {
        case nginx, apache, lighttpd, caddy

        public var description: String { rawValue }
    }

    public let kind: Kind
    public let port: Int
    public let folder: TemporaryFolder
    private let process: ChildProcess

    /// - Parameters:
    ///   - socket: The unix socket of the FastCGI server.
    ///   - lines: `name=line` each, to take the place of the line that is marked `# SITE:name`.
    ///   - edit: Changes the configuration further before the web server reads it.
    public init(
        _ kind: Kind, socket: String, lines: [String] = [], edit: (String) throws -> String = { $0 }
    ) throws {
        // The port may be taken between the look and the start: then another is tried.
        for attempt in 1... {
            let folder = try TemporaryFolder()
            let port = try Loopback.freePort()
            let plan = try Plan([kind.rawValue, folder.path, String(port), socket] + lines)
            let text = try edit(String(contentsOfFile: plan.configuration, encoding: .utf8))
            try text.write(toFile: plan.configuration, atomically: true, encoding: .utf8)
            let process = try ChildProcess(plan.command[0], Array(plan.command[1...]), log: plan.output)
            // The file is written once the port is bound. A connection would prove less: another program may be the one
            // that answers there.
            let isUp = eventually(within: 20) {
                !process.isRunning || (try? String(contentsOfFile: plan.pidFile, encoding: .utf8))?.isEmpty == false
            }
            if isUp, process.isRunning {
                (self.kind, self.port, self.folder, self.process) = (kind, port, folder, process)
                return
            }
            process.stop()
            let reason = process.output + folder.read("\(kind)-error.log")
            guard attempt < 5, reason.lowercased().contains("address already in use") else {
                throw TestFailure(description: "\(kind) did not start: \(reason)")
            }
        }
        fatalError("unreachable")
    }

    deinit {
        stop()
    }

    public func client() throws -> HTTPClient { try HTTPClient(port: port) }

    /// Ends the web server; the same as dropping this object, at a moment of the test's choice.
    public func stop() {
        process.stop()
    }

    /// What deploy/ says of how the web server is run.
    private struct Plan {
        let configuration: String
        let pidFile: String
        let output: String
        let command: [String]

        /// - Parameter arguments: Those of `write_web_server_conf` in deploy/web-servers.sh.
        init(_ arguments: [String]) throws {
            let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
            let script = #"""
                . "$1/deploy/lib.sh"
                shift
                write_web_server_conf "$@"
                web_server_command "$1" "$2"
                printf '%s\n' "$configuration" "$pid_file" "$output" "${identity[@]}" "${command[@]}"
                """#
            let result = try ChildProcess.run("bash", ["-euc", script, "bash", repository] + arguments)
            let words = result.output.split(separator: "\n").map(String.init)
            guard result.code == 0, words.count > 3 else { throw TestFailure(description: result.output) }
            (configuration, pidFile, output, command) = (words[0], words[1], words[2], Array(words[3...]))
        }
    }
}
