import Galleta
import GalletaPlatform
import HTTPTypes
import TestSupport
import Testing

/// Sync and async steps around sync and async handlers: what comes of a request is the same.
@Suite("Async handlers and steps")
struct AsyncPipelineTests {
    enum Steps: CaseIterable {
        case none, sync, async, asyncInSync, syncInAsync
    }

    private struct Failure: Error {}

    private func application(_ steps: Steps) throws -> RunningApplication {
        try RunningApplication { app in
            let outer = HTTPField.Name("X-Outer")!
            let sync: Step.Body = { request, session, next in
                var response = next(request, session)
                response.headers.append(outer, "sync \(response.status.code)")
                return response
            }
            let async: Step.AsyncBody = { request, session, next in
                await Task.yield()
                var response = await next(request, session)
                await Task.yield()
                response.headers.append(outer, "async \(response.status.code)")
                return response
            }
            switch steps {
            case .none: break
            case .sync: app.use(sync)
            case .async: app.use(async)
            case .asyncInSync:
                app.use(sync)
                app.use(async)
            case .syncInAsync:
                app.use(async)
                app.use(sync)
            }
            app.get("/sync/count") { _, session in "\(try session.update("n", default: 0) { $0 += 1; return $0 })" }
            app.get("/async/count") { _, session in
                await Task.yield()
                return "\(try session.update("n", default: 0) { $0 += 1; return $0 })"
            }
            app.get("/sync/set") { _, session in
                try session.set("n", 100)
                return "set"
            }
            app.get("/async/set") { _, session in
                try session.set("n", 100)
                await Task.yield()
                return "set"
            }
            app.get("/sync/fail") { _, session in
                try session.set("n", 999)
                throw Failure()
            }
            app.get("/async/fail") { _, session in
                try session.set("n", 999)
                await Task.yield()
                throw Failure()
            }
            app.get("/sync/:name/path") { request, _ in "\(request.pathParameters["name"] ?? "-")" }
            app.get("/async/:name/path") { request, _ in
                await Task.yield()
                return "\(request.pathParameters["name"] ?? "-")"
            }
        }
    }

    private func outer(_ steps: Steps, _ status: Int) -> [String] {
        switch steps {
        case .none: []
        case .sync: ["sync \(status)"]
        case .async: ["async \(status)"]
        case .asyncInSync: ["async \(status)", "sync \(status)"]
        case .syncInAsync: ["sync \(status)", "async \(status)"]
        }
    }

    @Test(
        "steps see each answer, the session is committed before it, and what failed changes nothing",
        arguments: Steps.allCases)
    func together(steps: Steps) throws {
        let application = try application(steps)
        for kind in ["sync", "async"] {
            let client = try application.client()
            let first = try client.exchange("GET", "/\(kind)/count")
            #expect(first.text == "1" && first.all("X-Outer") == outer(steps, 200))
            let cookie = (
                "HTTP_COOKIE", try #require(first["Set-Cookie"]?.split(separator: ";").first.map(String.init))
            )
            #expect(try client.exchange("GET", "/\(kind)/count", [cookie]).text == "2")
            let failed = try client.exchange("GET", "/\(kind)/fail", [cookie])
            #expect(failed.status == 500 && failed.all("X-Outer") == outer(steps, 500))
            #expect(try client.exchange("GET", "/\(kind)/count", [cookie]).text == "3")
            #expect(try client.exchange("GET", "/\(kind)/set", [cookie])["Cache-Control"] == "private, no-store")
            #expect(try client.exchange("GET", "/\(kind)/count", [cookie]).text == "101")
            #expect(try client.exchange("GET", "/\(kind)/a%20b/path", [cookie]).text == "a b")
            let missing = try client.exchange("GET", "/\(kind)/missing")
            #expect(missing.status == 404 && missing.all("X-Outer") == outer(steps, 404))
            let refused = try client.exchange("POST", "/\(kind)/count", body: [1])
            #expect(refused.status == 405 && refused["Allow"]?.hasPrefix("GET") == true)
        }
    }

    @Test("parallel requests of one visitor lose no update, whatever waits", arguments: [Steps.none, .async])
    func parallel(steps: Steps) throws {
        let application = try application(steps)
        let first = try application.client().exchange("GET", "/async/count")
        let cookie = ("HTTP_COOKIE", try #require(first["Set-Cookie"]?.split(separator: ";").first.map(String.init)))
        let threads = try (0..<8).map { index in
            try SystemThread(name: "visitor") {
                guard let client = try? application.client() else { return }
                for _ in 0..<50 {
                    _ = try? client.exchange("GET", index % 2 == 0 ? "/async/count" : "/sync/count", [cookie])
                }
            }
        }
        for thread in threads { #expect(thread.join(timeout: .seconds(60))) }
        #expect(try application.client().exchange("GET", "/sync/count", [cookie]).text == "402")
    }
}
