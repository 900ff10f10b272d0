import Foundation
import Glibc
import MemorySessions

/// The system's disk until its power is cut: then nothing more gets there, and what was not synced is lost, or a part of it.
///
/// Thread-safe.
package final class FragileDisk: StateDisk, @unchecked Sendable {
    // Safe: all that changes is behind `lock`.

    /// What a power cut leaves of what was not synced.
    package struct Remains: Sendable {
        /// Of a file's bytes, in quarters: 0 none, 4 all.
        package var quarters: Int
        /// Whether names that were changed stay so.
        package var names: Bool

        package init(quarters: Int, names: Bool) {
            (self.quarters, self.names) = (quarters, names)
        }

        package static let all = [0, 2, 3, 4].flatMap { quarters in
            [false, true].map { Remains(quarters: quarters, names: $0) }
        }
    }

    private struct Written {
        var path: String
        var bytes: [UInt8] = []
        var synced = 0
    }

    private let lock = NSRecursiveLock()
    private let system = SystemDisk()
    private var files: [Int32: Written] = [:]
    /// By name, what was there before changes that are not synced; the first of them counts.
    private var unsyncedNames: [String: Data?] = [:]
    private var operations = 0
    private var lastOperation = Int.max
    private var failing: Set<String> = []
    private var failureCode = ENOSPC
    private var hooks: [String: @Sendable (String) -> Void] = [:]
    private var counts: [String: Int] = [:]

    /// - Parameter operations: How many succeed before the power is cut.
    package init(cutAfter operations: Int = .max) {
        lastOperation = operations
    }

    /// How many calls of a name there were.
    package func count(of name: String) -> Int { lock.withLock { counts[name] ?? 0 } }

    package var operationCount: Int { lock.withLock { operations } }

    package var isCut: Bool { lock.withLock { operations > lastOperation } }

    /// Has calls of these names fail from now on, until others are given.
    package func fail(_ names: Set<String>, code: Int32 = ENOSPC) {
        lock.withLock { (failing, failureCode) = (names, code) }
    }

    /// Calls `hook` with the path before each call of a name.
    package func before(_ name: String, _ hook: (@Sendable (String) -> Void)?) {
        lock.withLock { hooks[name] = hook }
    }

    /// - Returns: Whether the call is to be made.
    private func allows(_ name: String, _ path: String) -> Bool {
        lock.withLock { hooks[name] }?(path)
        return lock.withLock {
            counts[name, default: 0] += 1
            operations += 1
            guard operations <= lastOperation else {
                errno = EIO
                return false
            }
            guard !failing.contains(name) else {
                errno = failureCode
                return false
            }
            return true
        }
    }

    package func create(_ path: String) -> Int32 {
        guard allows("create", path) else { return -1 }
        noteName(path)
        let file = system.create(path)
        lock.withLock { files[file] = Written(path: path) }
        return file
    }

    package func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        guard allows("write", lock.withLock { files[file]?.path } ?? "") else {
            // A part of it got there.
            guard lock.withLock({ operations - 1 == lastOperation }) else { return -1 }
            return note(file, UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), fails: true)
        }
        return note(file, bytes, fails: false)
    }

    private func note(_ file: Int32, _ bytes: UnsafeRawBufferPointer, fails: Bool) -> Int {
        let count = system.write(file, bytes)
        lock.withLock { files[file]?.bytes += bytes.prefix(max(0, count)) }
        if fails { errno = EIO }
        return fails ? -1 : count
    }

    package func sync(_ file: Int32) -> Int32 {
        guard allows("sync", lock.withLock { files[file]?.path } ?? "") else { return -1 }
        lock.withLock {
            let count = files[file]?.bytes.count ?? 0
            files[file]?.synced = count
        }
        return 0
    }

    package func rename(_ path: String, to new: String) -> Int32 {
        guard allows("rename", new) else { return -1 }
        noteName(path)
        noteName(new)
        let outcome = system.rename(path, to: new)
        lock.withLock {
            for (file, written) in files where written.path == new { files[file]!.path = "" }
            for (file, written) in files where written.path == path { files[file]!.path = new }
        }
        return outcome
    }

    package func unlink(_ path: String) -> Int32 {
        guard allows("unlink", path) else { return -1 }
        noteName(path)
        return system.unlink(path)
    }

    package func syncFolder(of path: String) -> Int32 {
        guard allows("syncFolder", path) else { return -1 }
        lock.withLock { unsyncedNames = [:] }
        return 0
    }

    private func noteName(_ path: String) {
        lock.withLock {
            guard unsyncedNames[path] == nil else { return }
            unsyncedNames[path] = .some(FileManager.default.contents(atPath: path))
        }
    }

    /// Leaves in the folder what the power cut leaves. The provider is not to be used any more.
    package func cut(_ remains: Remains) throws {
        try lock.withLock {
            lastOperation = 0
            for written in files.values where !written.path.isEmpty && written.synced < written.bytes.count {
                let lost = (written.bytes.count - written.synced) * (4 - remains.quarters) / 4
                guard FileManager.default.fileExists(atPath: written.path) else { continue }
                guard truncate(written.path, written.bytes.count - lost) == 0 else {
                    throw CocoaError(.fileWriteUnknown)
                }
            }
            guard !remains.names else { return }
            for (path, content) in unsyncedNames {
                Glibc.unlink(path)
                guard let content else { continue }
                try content.write(to: URL(fileURLWithPath: path))
                chmod(path, 0o600)
            }
        }
    }
}
