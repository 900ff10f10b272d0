import Foundation
import Glibc

/// A real web server with the configuration that this project ships for it, on a free port of 127.0.0.1.
///
/// Safe from any thread.
public final class WebServer: Sendable {
    public enum Kind: String, CaseIterable, Sendable, CustomStringConvertible {
        case nginx, apache, lighttpd, caddy

        public var description: String { rawValue }
    }

    public let kind: Kind
    public let port: Int
    private let folder: TemporaryFolder
    private let process: ChildProcess

    /// - Parameters:
    ///   - socket: The unix socket of the FastCGI server. As root it is opened to the web server's user.
    ///   - rules: Directives for parts of the site, in the place that the configuration has for them.
    public init(_ kind: Kind, socket: String, rules: String = "") throws {
        if geteuid() == 0 { chmod(socket, 0o666) }
        // The port may be taken between the look and the start: then another is tried.
        for attempt in 1... {
            let folder = try TemporaryFolder()
            let port = try Loopback.freePort()
            let plan = try Plan(kind, folder: folder, port: port, socket: socket, rules: rules)
            let process = try ChildProcess(plan.command[0], Array(plan.command[1...]), log: plan.output)
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
                throw TestFailure(description: "\(kind) did not start (deploy/test installs it): \(reason)")
            }
        }
        fatalError("unreachable")
    }

    deinit {
        process.stop()
    }

    public var errorLog: String { process.output + folder.read("\(kind)-error.log") }

    public func client() throws -> HTTPClient { try HTTPClient(port: port) }

    /// What deploy/ says of how the web server is run.
    private struct Plan {
        let pidFile: String
        let output: String
        let command: [String]

        init(_ kind: Kind, folder: TemporaryFolder, port: Int, socket: String, rules: String) throws {
            let script = #"""
                . "$1/deploy/lib.sh"
                write_web_server_conf "$2" "$3" "$4" "$5" "rules=$6"
                web_server_command "$2" "$3"
                printf '%s\n' "$pid_file" "$output" "${identity[@]}" "${command[@]}"
                """#
            let result = try ChildProcess.run(
                "bash",
                [
                    "-euc", script, "bash", Nginx.repository, kind.rawValue, folder.path, String(port), socket, rules,
                ])
            let words = result.output.split(separator: "\n").map(String.init)
            guard result.code == 0, words.count > 2 else { throw TestFailure(description: result.output) }
            (pidFile, output, command) = (words[0], words[1], Array(words[2...]))
        }
    }
}
