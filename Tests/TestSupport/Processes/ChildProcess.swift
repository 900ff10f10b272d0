import Foundation
import Glibc

/// A program that a test starts, ended with this object at the latest.
public final class ChildProcess: @unchecked Sendable {
    // Safe: `Process` is started in init; later calls only read or signal it.
    private let process = Process()
    private let log: String

    /// - Parameters:
    ///   - program: A path, or a name that is looked up in PATH.
    ///   - log: The file that takes descriptors 1 and 2.
    ///   - input: Becomes descriptor 0; nothing by default.
    public init(
        _ program: String, _ arguments: [String], log: String, environment: [String: String] = [:], input: Int32? = nil
    ) throws {
        self.log = log
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let path = process.environment?["PATH"] ?? ""
        process.environment?["PATH"] = path + ":/usr/sbin:/sbin"
        if !FileManager.default.fileExists(atPath: log) { _ = FileManager.default.createFile(atPath: log, contents: nil) }
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        output.seekToEndOfFile()
        process.standardOutput = output
        process.standardError = output
        process.standardInput =
            input.map { FileHandle(fileDescriptor: $0, closeOnDealloc: false) } ?? FileHandle.nullDevice
        try process.run()
    }

    deinit {
        if process.isRunning { stop() }
    }

    public var pid: Int32 { process.processIdentifier }

    public var isRunning: Bool { process.isRunning }

    public var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    public func signal(_ number: Int32) {
        kill(pid, number)
    }

    /// The exit code, once the program ends; nil if it does not within the time.
    public func exitCode(within seconds: Double = 30) -> Int32? {
        guard eventually(within: seconds, { !process.isRunning }) else { return nil }
        return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }

    /// Ends the program by SIGTERM, and by SIGKILL if that does not help.
    @discardableResult
    public func stop() -> Int32? {
        signal(SIGTERM)
        if let code = exitCode() { return code }
        signal(SIGKILL)
        return exitCode(within: 5)
    }

    /// Runs a program to its end.
    public static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (code: Int32, output: String) {
        let folder = try TemporaryFolder()
        let process = try ChildProcess(program, arguments, log: folder.file("log"), environment: environment)
        guard let code = process.exitCode(within: 60) else { return (-1, process.output) }
        return (code, process.output)
    }
}
