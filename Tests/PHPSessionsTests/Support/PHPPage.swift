import Foundation
import TestSupport

/// A run of `Scripts/session.php`.
final class PHPPage {
    static let isThere = FileManager.default.isExecutableFile(atPath: "/usr/bin/php")

    /// Whether it has its redis handler.
    static let hasRedis: Bool = {
        guard isThere, let result = try? ChildProcess.run("/usr/bin/php", ["-m"]) else { return false }
        return result.output.split(separator: "\n").contains("redis")
    }()

    private let process = Process()
    private let input: FileHandle
    private let output: FileHandle

    /// - Parameter locks: `PHP_LOCKS` of the script.
    init(_ arguments: String..., locks: String? = nil) throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let (input, output) = (try ChildStream(), try ChildStream())
        (self.input, self.output) = (input.own, output.own)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/php")
        process.arguments = [tests.path + "/Scripts/session.php"] + arguments
        if let locks { process.environment = ProcessInfo.processInfo.environment.merging(["PHP_LOCKS": locks]) { $1 } }
        process.standardInput = input.child
        process.standardOutput = output.child
        try process.run()
        try input.child.close()
        try output.child.close()
    }

    /// Waits until it has the session.
    func awaitHeld() -> Bool { output.readData(ofLength: 5) == Data("held\n".utf8) }

    func tell(_ line: String) throws { try input.write(contentsOf: Data("\(line)\n".utf8)) }

    /// Ends it at once, as a crash does.
    func kill() {
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Lets it end; gives what it printed.
    func finish() throws -> String {
        try input.close()
        let data = try output.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
