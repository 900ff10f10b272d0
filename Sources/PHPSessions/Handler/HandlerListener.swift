internal import CPlatform
internal import GalletaPlatform
internal import Glibc

/// The listening socket of a ``HandlerServer``: one that this process makes, or one that a service manager holds, so that PHP's
/// connections wait in it during a restart.
///
/// For one thread at a time.
final class HandlerListener: @unchecked Sendable {
    // Safe: it is made on one thread, and then the server's thread alone has it.
    let descriptor: Int32
    /// Whether a service manager holds it.
    let isHeld: Bool
    private let file: SocketFile?
    private var isOpen = true

    /// - Throws: `ConfigurationError` of `socket`.
    init(_ configuration: HandlerServer.Configuration) throws(ConfigurationError) {
        try UnixListener.checkPath(configuration.socket, field: "socket")
        let held = InheritedDescriptors.take { _, name in name == InheritedDescriptors.storeName }
        for other in held.dropFirst() { close(other.fd) }
        if let first = held.first {
            let path = InheritedDescriptors.unixPath(of: first.fd)
            guard path == configuration.socket, InheritedDescriptors.isListening(first.fd) else {
                close(first.fd)
                // PHP would wait there for ever.
                throw ConfigurationError(
                    field: "socket",
                    reason:
                        "the service manager's socket \(InheritedDescriptors.storeName) is \(path ?? "no unix socket")",
                    remedy: "give socket= and ListenStream= of the unit the same path")
            }
            (descriptor, isHeld, file) = (first.fd, true, nil)
        } else {
            do throws(ListenerError) {
                let (fd, file) = try UnixListener.listen(
                    path: configuration.socket, mode: configuration.mode, name: configuration.name, backlog: 4096)
                (descriptor, isHeld, self.file) = (fd, false, file)
            } catch {
                throw configuration.refusal(error)
            }
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit {
        end()
    }

    /// Takes no more connections. Those that a service manager's socket has by then are its next server's.
    func end() {
        guard isOpen else { return }
        isOpen = false
        // Before the descriptor: a successor finds no file, or one that is its own.
        file?.remove()
        close(descriptor)
    }
}
