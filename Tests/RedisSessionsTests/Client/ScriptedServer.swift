import CPlatform
import GalletaPlatform
import Glibc
import TestSupport

/// A unix socket that greets as Redis does and then answers each request with bytes of the test's choice.
final class ScriptedServer: Sendable {
    let path: String
    private let folder: TemporaryFolder
    private let listener: Int32
    private let thread: SystemThread

    /// - Parameter replies: What is answered to the requests of each connection after its PING, one after the other;
    ///   after the last the connection is closed.
    init(_ replies: [String]) throws {
        folder = try TemporaryFolder()
        path = folder.file("scripted.sock")
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard cplatform_bind_unix(listener, path) == 0, listen(listener, 16) == 0 else {
            throw TestFailure(description: "no socket at \(folder.path)")
        }
        self.listener = listener
        thread = try SystemThread(name: "scripted") {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while case let fd = accept(listener, nil, nil), fd >= 0 {
                for reply in ["+PONG\r\n"] + replies {
                    guard recv(fd, &buffer, buffer.count, 0) > 0 else { break }
                    let bytes = Array(reply.utf8)
                    send(fd, bytes, bytes.count, Int32(MSG_NOSIGNAL))
                }
                close(fd)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        _ = thread.join(timeout: .seconds(20))
        close(listener)
    }
}
