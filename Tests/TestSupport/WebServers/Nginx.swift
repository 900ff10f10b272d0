import Glibc

/// A real nginx, set up as a test wants it. As root its workers are root, too, and reach the test's folders.
///
/// Safe from any thread.
public final class Nginx: Sendable {
    private let server: WebServer

    /// - Parameters:
    ///   - socket: The unix socket of the FastCGI server.
    ///   - settings: What is to differ from the shipped configuration.
    ///   - edit: Changes the configuration further before nginx reads it.
    public convenience init(
        socket: String, _ settings: NginxSettings = NginxSettings(), edit: (String) throws -> String = { $0 }
    ) throws {
        try self.init(sockets: [socket], settings, edit: edit)
    }

    /// nginx before several FastCGI servers, asked in turn.
    public init(
        sockets: [String], _ settings: NginxSettings = NginxSettings(), edit: (String) throws -> String = { $0 }
    ) throws {
        let user = geteuid() == 0 ? ["user=user root;"] : []
        server = try WebServer(
            .nginx, socket: sockets.first ?? "", lines: user + settings.siteLines(sockets: sockets)
        ) { try edit(settings.apply(to: $0)) }
    }

    public var port: Int { server.port }

    public var folder: TemporaryFolder { server.folder }

    public var errorLog: String { folder.read("nginx-error.log") }

    public var accessLog: String { folder.read("nginx-access.log") }

    public func client() throws -> HTTPClient { try server.client() }

    /// Ends nginx; the same as dropping this object, at a moment of the test's choice.
    public func stop() {
        server.stop()
    }
}
