import Foundation

/// A run of `Scripts/session.php`.
final class PHPPage {
    static let isThere = FileManager.default.isExecutableFile(atPath: "/usr/bin/php")

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(_ arguments: String...) throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/php")
        process.arguments = [tests.path + "/Scripts/session.php"] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    /// Waits until it has the session.
    func awaitHeld() -> Bool { output.fileHandleForReading.readData(ofLength: 5) == Data("held\n".utf8) }

    func tell(_ line: String) throws { try input.fileHandleForWriting.write(contentsOf: Data("\(line)\n".utf8)) }

    /// Lets it end; gives what it printed.
    func finish() throws -> String {
        try input.fileHandleForWriting.close()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
