import Foundation
import Glibc

/// A program that a test starts, ended with this object at the latest.
///
/// By posix_spawn: Foundation's `Process` takes a daemon's parent for alive as long as the daemon lives.
public final class ChildProcess: @unchecked Sendable {
    // Safe: `status` is under its lock, the rest is constant.
    public let pid: Int32
    private let log: String
    private let lock = NSLock()
    private var status: Int32?
    private let program: String
    /// As if ended by signal 127, which does not exist.
    private static let lostStatus: Int32 = 0x7f

    public typealias Failure = TestFailure

    /// - Parameters:
    ///   - program: A path, or a name that is looked up in PATH.
    ///   - log: The file that takes descriptors 1 and 2.
    ///   - input: Becomes descriptor 0; nothing by default.
    ///   - errors: Becomes descriptor 2.
    ///   - closed: Descriptors that the program does not get at all.
    ///   - descriptors: Become descriptors 3 and further.
    public init(
        _ program: String, _ arguments: [String], log: String, environment: [String: String] = [:], input: Int32? = nil,
        errors: Int32? = nil, closed: [Int32] = [], descriptors: [Int32] = []
    ) throws {
        self.log = log
        self.program = program
        var variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        variables["PATH"] = (variables["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin"
        // Of the tests' own surroundings, never.
        variables["NOTIFY_SOCKET"] = environment["NOTIFY_SOCKET"]

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, errors ?? 1, 2)
        // Out of the way first: one of them may have a number that another is to get.
        let copies = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 3 + Int32(descriptors.count)) }
        defer { copies.forEach { close($0) } }
        for (index, fd) in copies.enumerated() { posix_spawn_file_actions_adddup2(&actions, fd, 3 + Int32(index)) }
        for fd in closed { posix_spawn_file_actions_addclose(&actions, fd) }

        // Nothing of this process's signals: a child that inherits a blocked SIGTERM could not be stopped.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let words = ([program] + arguments).map { strdup($0) } + [nil]
        let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + settings).forEach { free($0) } }
        var pid: pid_t = 0
        let search = variables["PATH"] ?? ""
        let path = program.contains("/") ? program : Self.find(program, in: search)
        let failure = posix_spawn(&pid, path, &actions, &attributes, words, settings)
        guard failure == 0 else { throw TestFailure.system(program, failure) }
        self.pid = pid
        Leftovers.add(child: pid)
    }

    deinit {
        if isRunning { stop() }
    }

    private static func find(_ program: String, in search: String) -> String {
        search.split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 } ?? program
    }

    public var isRunning: Bool {
        lock.withLock {
            guard status == nil else { return false }
            var code: Int32 = 0
            let result = waitpid(pid, &code, WNOHANG)
            if result == pid {
                status = code
                Leftovers.remove(child: pid)
            }
            // Gone without a status, if another part of this process has reaped it: said, or each stop would wait in vain.
            if result < 0, errno == ECHILD { status = Self.lostStatus }
            return status == nil
        }
    }

    public var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    public func signal(_ number: Int32) {
        if isRunning { kill(pid, number) }
    }

    /// Stops its clock (SIGSTOP), and waits until it stands still.
    public func pause() {
        signal(SIGSTOP)
        // The signal is asynchronous, and each thread has its own moment: an answer could still come after it was sent.
        _ = eventually {
            let folder = "/proc/\(pid)/task"
            let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return !isRunning
                || threads.allSatisfy { thread in
                    let status = (try? String(contentsOfFile: "\(folder)/\(thread)/stat", encoding: .utf8)) ?? ""
                    return status.contains(") T ")
                }
        }
    }

    /// The exit code, once the program ends; nil if it does not within the time.
    public func exitCode(within seconds: Double = 30) -> Int32? {
        guard eventually(within: seconds, { !isRunning }), let status = lock.withLock({ status }) else { return nil }
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }

    /// Ends the program by SIGTERM, and by SIGKILL if that does not help, which is said on standard error: a server that
    /// does not end when asked is a fault, even where the test is about something else.
    ///
    /// - Returns: The exit code; 128 and more after a signal.
    @discardableResult
    public func stop(within seconds: Double = 30) -> Int32? {
        signal(SIGTERM)
        if let code = exitCode(within: seconds) { return code }
        let text =
            "\(program) (\(pid)) did not end by SIGTERM within \(seconds) s and is killed. Its output:\n\(output)\n"
        FileHandle.standardError.write(Data(text.utf8))
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
