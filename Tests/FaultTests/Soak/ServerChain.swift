import Foundation
import Glibc
import TestSupport

/// One server after the other on the same socket, each with the sessions of its predecessor.
///
/// For one thread at a time.
final class ServerChain {
    let socket: InheritedSocket
    private let options: [String]
    private(set) var current: ChildProcess
    private(set) var restarts = 0
    /// What was wrong with the servers that have ended.
    private(set) var complaints: [String] = []

    init(options: [String]) throws {
        self.options = options
        socket = try InheritedSocket()
        current = try socket.start(options)
        try waitUntil(current, says: "listening on")
    }

    var figures: ProcessFigures { ProcessFigures(pid: current.pid) }

    /// The successor waits beside its predecessor until that has written the sessions.
    func restart() throws {
        let successor = try socket.start(options)
        try waitUntil(successor, says: "waiting for it to stop")
        stop()
        current = successor
        restarts += 1
        try waitUntil(successor, says: "listening on")
    }

    /// Ends the server; how it ended and what it logged is looked at.
    func stop() {
        let code = current.stop(within: 60)
        let log = current.output
        if let report = log.range(of: "Sanitizer") {
            let start = log.index(report.lowerBound, offsetBy: -100, limitedBy: log.startIndex) ?? log.startIndex
            complaints.append(String(log[start...].prefix(6000)))
        } else if code != 0 {
            complaints.append("exit code \(code.map(String.init) ?? "none"): \(log.suffix(2000))")
        }
    }

    private func waitUntil(_ process: ChildProcess, says text: String) throws {
        let isSaid = eventually(within: 60) { process.output.contains(text) || !process.isRunning }
        guard isSaid, process.isRunning else {
            throw TestFailure(description: "no \"\(text)\" in the log: \(process.output.suffix(2000))")
        }
    }
}
