import Galleta
import GalletaTesting
import MemorySessions
import TestSupport

/// A client of an application in this process, with sessions in memory.
func testClient(
    provider: (any SessionProvider)? = nil,
    mount: String = "/",
    log: CapturedLog = CapturedLog(),
    server adjustServer: (inout Server.Configuration) -> Void = { _ in },
    adjust: (inout SessionConfiguration) -> Void = { _ in },
    _ build: (Application) -> Void
) throws -> TestClient {
    var configuration = Server.Configuration()
    configuration.mount = try MountPoint(mount)
    adjustServer(&configuration)
    var sessions = SessionConfiguration()
    let logger = Logger(label: "test") { _ in log }
    sessions.logger = logger
    adjust(&sessions)
    let application = Application(
        sessions: try SessionManager(provider: provider ?? MemoryProvider(), configuration: sessions),
        configuration: configuration, logger: logger)
    application.accessLogger = nil
    build(application)
    return try application.testClient()
}
