import Foundation

/// The server's threads in this process, as the kernel sees them.
enum WorkerThreads {
    /// The masks of blocked signals of all threads named `fcgi-…`.
    static func blockedSignals() throws -> [UInt64] {
        let tasks = "/proc/self/task"
        return try FileManager.default.contentsOfDirectory(atPath: tasks).compactMap { id in
            // A thread may end between the listing and the look.
            guard let status = try? String(contentsOfFile: "\(tasks)/\(id)/status", encoding: .utf8),
                status.contains("Name:\tfcgi-")
            else { return nil }
            let line = status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") }
            return line.flatMap { UInt64($0.dropFirst(7).drop { $0 == "\t" }, radix: 16) }
        }
    }
}
