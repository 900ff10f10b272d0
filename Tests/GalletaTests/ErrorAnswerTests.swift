import Galleta
import GalletaTesting
import MemorySessions
import TestSupport
import Testing

@testable import Passwords

@Suite("An error is an answer")
struct ErrorAnswerTests {
    struct Failure: Error {}

    private static let seen = HTTPField.Name("X-Seen")!

    private func application(
        provider: (any SessionProvider)? = nil, _ build: (Application) -> Void = { _ in }
    ) throws -> TestClient {
        try testClient(
            provider: provider, mount: "/app",
            server: { $0.maxBodyBytes = 10 }
        ) { app in
            for name in ["outer", "inner"] {
                app.use { request, session, next in
                    var response = next(request, session)
                    response.headers.append(Self.seen, "\(name) \(response.status.code)")
                    return response
                }
            }
            app.get("/conflict") { _, _ in throw HTTPError(.conflict) }
            app.get("/bug") { _, _ in throw Failure() }
            app.post("/read") { request, _ in .bytes(try request.body.collect(), type: "x/y") }
            app.get("/write") { _, session in
                try session.set("n", 1)
                return "written"
            }
            build(app)
        }
    }

    @Test(
        "that every step sees, with its status",
        arguments: [
            ("GET", "/app/nowhere", 404), ("PUT", "/app/bug", 405), ("GET", "/app/conflict", 409),
            ("GET", "/app/bug", 500), ("GET", "/elsewhere", 404), ("GET", "/app/%zz", 400),
            ("GET", "/app/../../x", 400),
        ])
    func seenBySteps(method: String, target: String, status: Int) throws {
        let reply = try application().send(TestRequest(HTTPRequest.Method(method)!, target))
        #expect(reply.status.code == status)
        #expect(reply.headers[values: Self.seen] == ["inner \(status)", "outer \(status)"])
    }

    @Test("where passwords are not looked at, too: later for too many, and with the reason for one that is too long")
    func passwords() throws {
        let client = try application { app in
            app.get("/busy") { _, _ in throw PasswordError.busy }
            app.get("/throttled") { _, _ in throw PasswordError.throttled(.milliseconds(2_500)) }
            app.get("/unfit") { _, _ in throw PasswordError.unfit(maxBytes: 72) }
            app.get("/failed") { _, _ in throw PasswordError.failed("secret") }
        }
        for (path, status, retry) in [("busy", 503, "5"), ("throttled", 429, "3")] {
            let reply = try client.get("/app/\(path)")
            #expect(reply.status.code == status && reply.headers[values: .retryAfter] == [retry])
        }
        let unfit = try client.get("/app/unfit")
        #expect(unfit.status == .badRequest && unfit.text.contains("at most 72 bytes"))
        let failed = try client.get("/app/failed")
        #expect(failed.status == .internalServerError && !failed.text.contains("secret"))
    }

    @Test("where the body is at fault, too: too large, cut short, of no number")
    func bodies() throws {
        let client = try application()
        let large = try client.post("/app/read", content: .bytes([UInt8](repeating: 1, count: 11)))
        #expect(large.status == 413 && large.headers[values: Self.seen].count == 2)
        let short = try client.send(TestRequest(.get, "/app/bug", fastCGI: ["CONTENT_LENGTH": "x"]))
        #expect(short.status == 400 && short.headers[values: Self.seen].count == 2)
        let cut = try client.send(
            TestRequest(.post, "/app/read", content: .bytes([7]), fastCGI: ["CONTENT_LENGTH": "2"]))
        #expect(cut.status == 400 && cut.headers[values: Self.seen].count == 2)
        #expect(try client.post("/app/read", content: .bytes([7])).body == [7])
    }

    // The rest of its body never comes: that takes a connection of its own.
    @Test("where the body is late, too")
    func lateBody() throws {
        let application = try RunningApplication(server: { $0.bodyTimeout = .milliseconds(200) }) { app in
            app.use { request, session, next in
                var response = next(request, session)
                response.headers.append(Self.seen, "\(response.status.code)")
                return response
            }
            app.post("/read") { request, _ in .bytes(try request.body.collect(), type: "x/y") }
        }
        let client = try application.client()
        try client.send(FastCGIRecord.head("POST", "/read", contentLength: 5))
        let reply = try client.reply()
        #expect(reply.status == 408 && reply.all("X-Seen") == ["408"])
    }

    @Test("where the session cannot be kept, too")
    func fullStore() throws {
        var configuration = MemoryProvider.Configuration()
        configuration.maximumSessions = 1
        let client = try application(provider: MemoryProvider(configuration: configuration)) { app in
            app.get("/login") { _, session in
                try session.logIn(user: "ada")
                return "in"
            }
        }
        #expect(try client.get("/app/login").status == 200)
        let full = try client.another().get("/app/write")
        #expect(full.status == 503)
        #expect(full.headers[.retryAfter] != nil && full.headers[.setCookie] == nil)
        #expect(full.headers[values: Self.seen] == ["inner 503", "outer 503"])
    }

    @Test("with fixed header fields where only a step's own change of the session fails")
    func failsBehindTheSteps() throws {
        var configuration = MemoryProvider.Configuration()
        configuration.maximumSessions = 1
        let client = try application(provider: MemoryProvider(configuration: configuration)) { app in
            app.use { request, session, next in
                let response = next(request, session)
                if request.path == "/late" { try session.set("n", 1) }
                return response
            }
            app.get("/login") { _, session in
                try session.logIn(user: "ada")
                return "in"
            }
            app.get("/late") { _, _ in "late" }
        }
        #expect(try client.get("/app/login").status == 200)
        let full = try client.another().get("/app/late")
        #expect(full.status == 503)
        #expect(full.headers[.xContentTypeOptions] == "nosniff")
        #expect(full.headers[.contentSecurityPolicy] != nil)
    }

    @Test("that a step throws, too: the steps around see it, and what it changed is rolled back")
    func throwingStep() throws {
        let client = try application { app in
            app.use { request, session, next in
                guard request.path == "/guarded" else { return next(request, session) }
                try session.set("n", 2)
                throw HTTPError(.forbidden)
            }
            app.get("/guarded") { _, _ in "secret" }
        }
        let reply = try client.get("/app/guarded")
        #expect(reply.status == 403)
        #expect(reply.headers[values: Self.seen] == ["inner 403", "outer 403"])
        #expect(reply.headers[.setCookie] == nil)
    }

    @Test("whose page onError makes, for handlers, unknown paths and refused bodies; nil leaves it to the library")
    func onError() throws {
        let client = try application { app in
            app.onError { error, request in
                if error is Failure { throw Failure() }
                guard let error = error as? any HTTPStatusError, error.status != .conflict else { return nil }
                return .text("\(request.method.rawValue) \(error.status.code)", status: error.status)
            }
        }
        #expect(try client.get("/app/nowhere").text == "GET 404")
        let wrongMethod = try client.put("/app/bug")
        #expect(wrongMethod.text == "PUT 405")
        // What the status demands is there whatever page is made.
        #expect(wrongMethod.headers[.allow]?.contains("GET") == true)
        #expect(try client.get("/elsewhere").text == "GET 404")
        let large = try client.post("/app/read", content: .bytes([UInt8](repeating: 1, count: 11)))
        #expect(large.text == "POST 413" && large.headers[values: Self.seen].count == 2)
        #expect(try client.get("/app/conflict").text == "409 Conflict\n")
        let failing = try client.get("/app/bug")
        #expect(failing.status == 500 && failing.headers[values: Self.seen].count == 2)
    }

    @Test("that no application makes has the fixed header fields")
    func belowTheApplication() throws {
        let client = try application { app in
            app.get("/unsendable") { _, _ in Response(headers: [.location: "a\nb"]) }
        }
        let reply = try client.get("/app/unsendable")
        #expect(reply.status == 500)
        #expect(reply.headers[.xContentTypeOptions] == "nosniff" && reply.headers[.cacheControl] == "no-store")
    }
}
