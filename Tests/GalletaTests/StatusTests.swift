import Foundation
import Galleta
import GalletaPlatform
import TestSupport
import Testing

@Suite("The status page")
struct StatusTests {
    private let gate = Locked(false)
    private let application: RunningApplication

    init() throws {
        let gate = gate
        // Long enough that only the stuck one has it behind it, also on a busy machine.
        application = try RunningApplication(server: { $0.handlerTimeout = .seconds(1) }) { app in
            app.statusRoutes(name: "shop <&>", allow: ["192.0.2.0/24"])
            app.get("/count") { _, session in "\(try session.update("n", default: 0) { $0 += 1; return $0 })" }
            app.get("/user") { _, session in
                try session.logIn(user: "ada")
                return ""
            }
            app.get("/stuck/<b>") { _, _ in
                _ = eventually(within: 60) { gate.withLock { $0 } }
                return ""
            }
            app.get("/fail") { _, _ in HTTPResponse.Status.internalServerError }
        }
    }

    private func get(_ query: String = "", from address: String = "192.0.2.7") throws -> FastCGIReply {
        try application.client().exchange("GET", "/status" + query, [("REMOTE_ADDR", address)])
    }

    /// One of each: a session, an error, a stuck handler.
    private func prepare() throws -> FastCGIClient {
        let client = try application.client()
        _ = try client.exchange("GET", "/count")
        _ = try client.exchange("GET", "/user")
        _ = try client.exchange("GET", "/fail")
        let stuck = try application.client()
        try stuck.send(FastCGIRecord.request("GET", "/stuck/%3Cb%3E?secret", [("REQUEST_ID", "id-<7>")]))
        #expect(eventually { (try? get("?full").text.contains("stuck/")) == true })
        #expect(eventually { (try? get("?full").text.contains("state:                        stuck")) == true })
        return stuck
    }

    @Test("is not there for others, whoever they say they are")
    func strangers() throws {
        for address in ["192.0.3.1", "127.0.0.1", "", "x", "::1"] {
            #expect(try get(from: address).status == 404)
            #expect(
                try application.client().exchange(
                    "GET", "/status", [("REMOTE_ADDR", address), ("HTTP_X_FORWARDED_FOR", "192.0.2.7")]
                ).status == 404)
        }
        let reply = try get()
        #expect(reply.status == 200 && reply["Cache-Control"] == "no-store" && reply["Set-Cookie"] == nil)
    }

    @Test("says as text what php-fpm says, by its names, and names the request that is stuck")
    func text() throws {
        let stuck = try prepare()
        let text = try get("?full").text
        for line in ["pool:                         shop <&>", "accepted conn:", "sessions created:             2"] {
            #expect(text.contains(line))
        }
        #expect(
            text.contains("stuck workers:                1") && text.contains("request id:                   id-<7>"))
        #expect(!text.contains("secret"))
        #expect(!(try get().text.contains("request id")))
        gate.withLock { $0 = true }
        withExtendedLifetime(stuck) {}
    }

    @Test("is JSON with numbers as numbers")
    func json() throws {
        let stuck = try prepare()
        let reply = try get("?json&full")
        #expect(reply["Content-Type"] == "application/json")
        try StatusSchema.check(reply.text)
        let value = try #require(
            try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any])
        #expect(value["sessions created"] as? Int == 2 && value["server errors"] as? Int == 2)
        // What is not JSON's own type by name: times in seconds.
        #expect(value["gc lag"] as? Double != nil && value["gc slice"] as? Double != nil)
        for name in ["spool errors", "log errors", "dropped log lines", "slow requests", "timeouts"] {
            #expect(value[name] as? Int == 0 || name == "timeouts", "\(name)")
        }
        // There is no state file.
        #expect(value["state age"] == nil && value["state errors"] == nil)
        let requests = try #require(value["running requests"] as? [[String: Any]])
        #expect(requests.contains { $0["state"] as? String == "stuck" && $0["path"] as? String == "/stuck/%3Cb%3E" })
        #expect((value["settings"] as? [String: String])?["idleTimeout"] != nil)
        gate.withLock { $0 = true }
        withExtendedLifetime(stuck) {}
    }

    @Test("is OpenMetrics, to the strict reader of Prometheus")
    func openMetrics() throws {
        let stuck = try prepare()
        let reply = try get("?openmetrics")
        #expect(reply["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
        let metrics = try OpenMetrics(reply.text)
        #expect(try #require(metrics.value("galleta_request_duration_seconds_count")) >= 2)
        #expect(metrics.value("galleta_disk_errors_total", ["kind": "spool"]) == 0)
        #expect(metrics.value("galleta_disk_errors_total", ["kind": "log"]) == 0)
        #expect(try #require(metrics.value("galleta_session_gc_lag_seconds")) >= 0)
        #expect(metrics.value("galleta_stuck_workers") == 1)
        #expect(metrics.value("galleta_sessions_created_total") == 2)
        #expect(metrics.value("galleta_user_sessions") == 1 && metrics.value("galleta_anonymous_sessions") == 1)
        gate.withLock { $0 = true }
        withExtendedLifetime(stuck) {}
    }

    @Test("is a page without scripts and assets from elsewhere, in which nothing that peers say is markup")
    func page() throws {
        let stuck = try prepare()
        let reply = try get("?html")
        #expect(reply["Content-Type"] == "text/html; charset=utf-8")
        #expect(reply["Content-Security-Policy"]?.hasPrefix("default-src 'none'") == true)
        #expect(reply.text.contains("<h1>shop &lt;&amp;&gt;</h1>") && reply.text.contains("id-&lt;7&gt;"))
        #expect(reply.text.contains("1 worker is stuck") && reply.text.contains("<svg "))
        for word in ["<script", "http://", "https://", "<b>E", "id-<7>", "secret"] {
            #expect(!reply.text.contains(word))
        }
        gate.withLock { $0 = true }
        withExtendedLifetime(stuck) {}
    }

    @Test("counts the bodies for which the disk has no room")
    func spoolErrors() throws {
        let folder = try TemporaryFolder()
        let application = try RunningApplication(server: { $0.formLimits.temporaryDirectory = folder.path }) { app in
            app.statusRoutes(allow: ["192.0.2.0/24"])
            app.post("/form") { request, _ in "\(try request.body.collect().count)" }
        }
        let client = try application.client()
        // It was there at the start.
        try FileManager.default.removeItem(atPath: folder.path)
        let body = [UInt8](repeating: 0x61, count: 100_000)
        #expect(try client.exchange("POST", "/form", body: body).status == 500)
        let text = try application.client().exchange(
            "GET", "/status?openmetrics", [("REMOTE_ADDR", "192.0.2.1")]
        ).text
        #expect(text.contains("galleta_disk_errors_total{kind=\"spool\"} 1\n"), "\(text)")
    }
}
