import Foundation
import Galleta
import GalletaPlatform
import MemorySessions
import TestSupport
import Testing

@testable import GalletaCommand

/// A server whose only workers are held, asked over the control socket of a real server.
@Suite("The status over the control socket")
final class ControlStatusTests {
    private let gate = Locked(false)
    private let folder: TemporaryFolder
    private let running: RunningServer
    private let control: ControlServer
    private let client: FastCGIClient

    init() throws {
        let gate = gate
        folder = try TemporaryFolder()
        let application = Locked<Application?>(nil)
        running = try RunningServer { listener, logger in
            var configuration = Server.Configuration()
            configuration.workers = 1
            configuration.handlerTimeout = .milliseconds(50)
            let app = Application(
                sessions: try SessionManager(provider: MemoryProvider()), configuration: configuration, logger: logger)
            app.get("/held/:what") { _, _ in
                _ = eventually(within: 60) { gate.withLock { $0 } }
                return ""
            }
            application.withLock { $0 = app }
            return try app.server(listeners: [listener])
        }
        let app = try #require(application.withLock { $0 })
        control = try ControlServer(
            "unix:\(folder.file("control.sock"))", application: app, name: "shop", log: .standardError, reload: nil,
            logger: app.logger)
        try control.start()
        client = try running.client()
        try client.send(FastCGIRecord.request("GET", "/held/a%20b?secret=1", [("REQUEST_ID", "r<7>")]))
        let server = running.server
        #expect(eventually { server.status(requests: 1).requests.first?.state == .stuck })
    }

    deinit {
        gate.withLock { $0 = true }
        control.stop()
    }

    private func ask(_ query: String) throws -> String {
        let reply = try ControlClient(path: folder.file("control.sock")).ask("GET", "/status?" + query)
        #expect(reply.status == 200 && !reply.body.contains("secret"))
        return reply.body
    }

    @Test("names the request that is stuck, as text")
    func text() throws {
        let text = try ask("full")
        for line in [
            "state:                        stuck", "worker:                       0",
            "request method:               GET", "request path:                 /held/a%20b",
            "request id:                   r<7>", "stuck workers:                1",
        ] {
            #expect(text.contains(line + "\n"), "\(text)")
        }
    }

    @Test("names the request that is stuck, as JSON")
    func json() throws {
        let object = try JSONSerialization.jsonObject(with: Data(try ask("json&full").utf8)) as? [String: Any]
        let requests = try #require(object?["running requests"] as? [[String: Any]])
        #expect(requests.count == 1)
        let request = try #require(requests.first)
        #expect(request["state"] as? String == "stuck" && request["worker"] as? Int == 0)
        #expect(request["path"] as? String == "/held/a%20b" && request["id"] as? String == "r<7>")
        #expect((request["duration"] as? Double ?? 0) >= 0.05)
    }

    @Test("names the request that is stuck, on the page, where it is no markup")
    func page() throws {
        let page = try ask("html")
        #expect(page.contains("1 worker is stuck") && page.contains("<tr class=\"bad\"><td>stuck</td>"))
        #expect(page.contains("<td>GET /held/a%20b</td>") && page.contains("r&lt;7&gt;") && !page.contains("r<7>"))
    }

    @Test("names the request that is stuck in one frame of ctl top, which is a screen high")
    func top() throws {
        let result = try ChildProcess.run(
            GalletaProcess.program, ["ctl", "top", "--count", "1", "--socket", folder.file("control.sock")])
        #expect(result.code == 0)
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 4 && lines[0].hasPrefix("pool: shop "), "\(result.output)")
        #expect(lines[1].contains("of 1 busy, 1 stuck"))
        #expect(lines[2].hasPrefix("STATE") && lines[3].hasPrefix("stuck"))
        #expect(lines[3].contains("GET /held/a%20b") && lines[3].hasSuffix("r<7>") && !lines[3].contains("secret"))
    }
}
