internal import GalletaPlatform
internal import Glibc
public import Logging

extension Listener {
    /// Claims an inherited socket for this process alone, for applications that keep state in their own memory: of two
    /// processes that serve one socket each would see half of a visitor's requests.
    ///
    /// The claim is a record lock on the socket (fcntl(2), `F_SETLK`), which ends with the process, and earlier: when the
    /// server begins to stop, so that its successor need not wait for requests in flight. Claiming again does nothing;
    /// a socket that this process made itself is its own anyway.
    ///
    /// - Parameters:
    ///   - patience: How long to wait for a predecessor that is about to be stopped.
    ///   - logger: Told at once when there is one.
    /// - Throws: `ListenerError` with the other process's number.
    public func claim(patience: Duration = .seconds(5), logger: Logger) throws(ListenerError) {
        guard isInherited else { return }
        let deadline = BootInstant.now.advanced(by: patience)
        var hasLogged = false
        while !setLock(Int16(F_WRLCK)) {
            // A kernel or sandbox without locks on sockets: nothing can be said.
            guard errno == EAGAIN || errno == EACCES else { return }
            guard BootInstant.now < deadline else {
                throw ListenerError(
                    name,
                    "\(holder) serves this socket already, and what this one keeps in its memory is not known there",
                    "start one process only (spawn-fcgi without -F), or use a provider that processes share, or set "
                        + "`allowsManyProcesses` where sessions do not matter"
                )
            }
            if !hasLogged {
                hasLogged = true
                logger.warning(
                    "\(holder) serves \(name) already; waiting for it to stop",
                    metadata: ["seconds": "\(patience.components.seconds)"])
            }
            usleep(20_000)
        }
    }

    /// Lets another process claim the socket.
    func releaseClaim() {
        if isInherited { _ = setLock(Int16(F_UNLCK)) }
    }

    private func setLock(_ type: Int16) -> Bool {
        var lock = flock()
        lock.l_type = type
        lock.l_whence = Int16(SEEK_SET)
        return fcntl(fd, F_SETLK, &lock) == 0
    }

    private var holder: String {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        guard fcntl(fd, F_GETLK, &lock) == 0, lock.l_type != Int16(F_UNLCK), lock.l_pid > 0 else {
            return "another process"
        }
        return "process \(lock.l_pid)"
    }
}
