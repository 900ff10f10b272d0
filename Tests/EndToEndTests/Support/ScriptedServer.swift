import Foundation
import Glibc
import TestSupport

/// A server of one connection on a free port, which a closure plays.
final class ScriptedServer: Sendable {
    let port: UInt16

    init(_ play: @escaping @Sendable (_ connection: Int32) -> Void) throws {
        let (listener, port) = try Loopback.listen()
        self.port = port
        Thread {
            var descriptor = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            defer { close(listener) }
            guard poll(&descriptor, 1, 20_000) > 0 else { return }
            let connection = accept(listener, nil, nil)
            play(connection)
            close(connection)
        }.start()
    }

    /// One that sends this answer at once, and no more.
    convenience init(answer: String) throws {
        try self.init { connection in
            _ = send(connection, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
            shutdown(connection, Int32(SHUT_WR))
            // Until the client has gone: a close over unread bytes would take the answer away.
            var buffer = [UInt8](repeating: 0, count: 4096)
            while recv(connection, &buffer, buffer.count, 0) > 0 {}
        }
    }
}
