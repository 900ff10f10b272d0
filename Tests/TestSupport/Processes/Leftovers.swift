import Foundation
import GalletaPlatform
import Glibc

/// What is still there when the tests' process ends: objects that all tests share are never freed, and so nothing of theirs is
/// stopped or removed by them.
enum Leftovers {
    private struct State {
        var children: Set<pid_t> = []
        var folders: Set<String> = []
    }

    private static let state: Locked<State> = {
        atexit { Leftovers.clear() }
        return Locked(State())
    }()

    static func add(child pid: pid_t) { state.withLock { _ = $0.children.insert(pid) } }

    /// It has ended, and its number may be another's.
    static func remove(child pid: pid_t) { state.withLock { _ = $0.children.remove(pid) } }

    static func add(folder path: String) { state.withLock { _ = $0.folders.insert(path) } }

    static func remove(folder path: String) { state.withLock { _ = $0.folders.remove(path) } }

    private static func clear() {
        let left = state.withLock { $0 }
        for pid in left.children { kill(pid, SIGTERM) }
        let end = BootInstant.now.advanced(by: .seconds(10))
        for pid in left.children {
            while waitpid(pid, nil, WNOHANG) == 0 {
                if BootInstant.now > end { kill(pid, SIGKILL) }
                usleep(10_000)
            }
        }
        for path in left.folders { try? FileManager.default.removeItem(atPath: path) }
    }
}
