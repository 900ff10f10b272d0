import Foundation
import TestSupport

/// PHP's command line, where it is installed.
enum PHPProgram {
    static let isThere = path != nil
    static let hasIgbinary = isThere && ((try? run(["-m"]).contains("igbinary")) ?? false)

    private static let path: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
        return folders.map { "\($0)/php" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    /// What PHP prints.
    static func run(_ arguments: [String], input: [UInt8] = []) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path ?? "/usr/bin/php")
        process.arguments = arguments
        let (output, toProcess) = (try ChildStream(), try ChildStream())
        process.standardOutput = output.child
        process.standardInput = toProcess.child
        try process.run()
        try output.child.close()
        try toProcess.child.close()
        // Scripts read all of it before they print.
        try toProcess.own.write(contentsOf: Data(input))
        try toProcess.own.close()
        let data = try output.own.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
