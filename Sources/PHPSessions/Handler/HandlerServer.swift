package import GalletaPlatform
package import Logging
internal import RESP

/// Serves PHP's redis handler (`session.save_handler = redis`) on a unix socket, out of a store in memory: the handler's own few
/// commands of Redis's protocol, and no others.
///
/// The answer to the handler's `SET … NX` of a lock waits until the lock is free, so that its polling becomes a queue. Whoever
/// waits holds up nobody else. A connection that ends gives its locks back at once.
///
/// One thread has all connections. Threading: any thread.
package final class HandlerServer: Sendable {
    /// How a server is set up.
    package struct Configuration: Sendable {
        /// The path of its unix socket.
        package var socket: String
        /// The socket file's permissions: who may write to it may read and write all sessions. Default: 0660.
        package var mode: UInt32 = 0o660
        /// Users who may connect, `user:www-data` or `user:33`, beside root and this process's own; empty: whom the mode lets
        /// in. Default: empty.
        package var allow: [String] = []
        /// What stands in front of each id, as PHP's `session.save_path` has it (`?prefix=`).
        package var prefix = Array("PHPREDIS_SESSION:".utf8)
        /// What connections have to say (`?auth=`); nil: nothing.
        package var password: [UInt8]?
        /// Connections at a time. Default: 512.
        package var maxConnections = 512
        /// How long a page waits for a lock before it is told that it has none; it asks again then. Default: 10 s.
        package var lockPatience = Duration.seconds(10)
        /// How long the rest of a command may take to come, or an answer to be read. Default: 30 s.
        package var stallTimeout = Duration.seconds(30)
        /// How long pages that are under way may end once it is closed. Default: 2 s.
        package var drainTimeout = Duration.seconds(2)
        /// Where it is told what does not go as it should.
        package var logger = Logger(label: "galleta.sessions.php")

        package init(socket: String) {
            self.socket = socket
        }

        /// What the log and errors call the socket.
        var name: String { "unix:\(socket)" }

        /// Whether there could be such a server now; leaves nothing behind. That a process listens there already, mostly the one
        /// whose next start is looked at, is no error.
        func check() throws {
            try UnixListener.checkPath(socket, field: "socket")
            _ = try Self.peers(allow)
            do throws(ListenerError) {
                try UnixListener.check(path: socket, name: name)
            } catch {
                guard error.isInUse else { throw refusal(error) }
            }
        }

        static func peers(_ allow: [String]) throws(ConfigurationError) -> AllowedPeers {
            do throws(ConfigurationError) {
                return try AllowedPeers(allow)
            } catch {
                throw ConfigurationError(field: "socketAllow", reason: error.reason, remedy: error.remedy)
            }
        }

        func refusal(_ error: ListenerError) -> ConfigurationError {
            ConfigurationError(
                field: "socket", reason: "cannot listen on \(error.listener): \(error.reason)", remedy: error.remedy)
        }
    }

    private let inbox: HandlerInbox
    private let drainTimeout: Duration
    private let thread: SystemThread

    /// Listens, and serves on a thread of its own.
    ///
    /// - Throws: `ConfigurationError` that names the field.
    package init(_ configuration: Configuration, store: MemoryStore) throws(ConfigurationError) {
        let peers = try Configuration.peers(configuration.allow)
        guard let inbox = HandlerInbox() else { throw Self.noDescriptors }
        let listener = try HandlerListener(configuration)
        if configuration.mode & 0o002 != 0, configuration.allow.isEmpty, !listener.isHeld {
            configuration.logger.warning(
                """
                the socket \(configuration.socket) is world-writable: every local user can read and write all sessions; use mode \
                0660 with PHP's group, or name the users that may (socketAllow=user:www-data)
                """)
        }
        self.inbox = inbox
        drainTimeout = configuration.drainTimeout
        do throws(SystemThread.StartError) {
            thread = try SystemThread(name: "php-sessions") {
                HandlerLoop(configuration, store: store, inbox: inbox, listener: listener, peers: peers).run()
            }
        } catch {
            throw Self.noDescriptors
        }
    }

    deinit {
        inbox.close()
    }

    /// Takes no more connections, lets pages end that are under way, for as long as ``Configuration/drainTimeout``, and waits for it.
    package func close() {
        inbox.close()
        _ = thread.join(timeout: drainTimeout + .seconds(5))
    }

    private static let noDescriptors = ConfigurationError(
        field: "socket", reason: "there are no more descriptors or threads", remedy: "raise the limit of open files")
}
