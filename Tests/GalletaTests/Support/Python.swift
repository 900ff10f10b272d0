import Foundation
import TestSupport

/// Readers of formats that are best judged by others' libraries.
enum Python {
    /// Runs a program on a text, whose file is its only argument.
    ///
    /// - Throws: `TestFailure` with what it says, where it fails.
    static func run(_ program: String, on text: String) throws -> String {
        let folder = try TemporaryFolder()
        try text.write(toFile: folder.file("text"), atomically: false, encoding: .utf8)
        // Debian's own, whose libraries are packages.
        let (code, output) = try ChildProcess.run("/usr/bin/python3", ["-c", program, folder.file("text")])
        guard code == 0 else { throw TestFailure(description: output) }
        return output
    }
}
