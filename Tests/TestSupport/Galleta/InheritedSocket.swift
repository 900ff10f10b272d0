import Foundation
import Glibc

/// A listening unix socket that a test makes and hands to servers as descriptor 0.
public final class InheritedSocket: Sendable {
    public let fd: Int32
    public let folder: TemporaryFolder
    public var path: String { folder.file("s.sock") }

    public init() throws {
        folder = try TemporaryFolder()
        fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard Self.bind(fd, to: folder.file("s.sock")), listen(fd, 1024) == 0 else {
            throw TestFailure(description: "bind \(folder.path)")
        }
    }

    /// As bind(2) with a unix socket's path.
    public static func bind(_ fd: Int32, to path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    deinit {
        close(fd)
    }

    public func start(_ options: [String] = []) throws -> ChildProcess {
        try ChildProcess(
            GalletaProcess.program, ["--workers", "2"] + GalletaProcess.withUser(options),
            log: folder.file("log-\(UUID().uuidString)"),
            input: fd)
    }
}
