import Galleta
import GalletaPlatform
import GalletaTesting
import HTTPTypes
import Testing

/// Sync and async steps around sync and async handlers: what comes of a request is the same.
@Suite("Async handlers and steps")
struct AsyncPipelineTests {
    enum Steps: CaseIterable {
        case none, sync, async, asyncInSync, syncInAsync
    }

    private struct Failure: Error {}

    private func application(_ steps: Steps) throws -> TestClient {
        try testClient { app in
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
                return "\(try await session.update("n", default: 0) { $0 += 1; return $0 })"
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
        for kind in ["sync", "async"] {
            let client = try application(steps)
            let first = try client.get("/\(kind)/count")
            #expect(first.text == "1" && first.headers[values: HTTPField.Name("X-Outer")!] == outer(steps, 200))
            #expect(try client.get("/\(kind)/count").text == "2")
            let failed = try client.get("/\(kind)/fail")
            #expect(failed.status == 500 && failed.headers[values: HTTPField.Name("X-Outer")!] == outer(steps, 500))
            #expect(try client.get("/\(kind)/count").text == "3")
            #expect(try client.get("/\(kind)/set").headers[.cacheControl] == "private, no-store")
            #expect(try client.get("/\(kind)/count").text == "101")
            #expect(try client.get("/\(kind)/a%20b/path").text == "a b")
            let missing = try client.get("/\(kind)/missing")
            #expect(missing.status == 404 && missing.headers[values: HTTPField.Name("X-Outer")!] == outer(steps, 404))
            let refused = try client.post("/\(kind)/count")
            #expect(refused.status == 405 && refused.headers[.allow]?.hasPrefix("GET") == true)
        }
    }

    @Test("parallel requests of one visitor lose no update, whatever waits", arguments: [Steps.none, .async])
    func parallel(steps: Steps) throws {
        let client = try application(steps)
        _ = try client.get("/async/count")
        let threads = try (0..<8).map { index in
            try SystemThread(name: "visitor") {
                for _ in 0..<50 {
                    _ = try? client.get(index % 2 == 0 ? "/async/count" : "/sync/count")
                }
            }
        }
        for thread in threads { #expect(thread.join(timeout: .seconds(60))) }
        #expect(try client.get("/sync/count").text == "402")
    }
}
