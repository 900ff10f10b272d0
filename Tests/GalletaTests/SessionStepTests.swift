import Foundation
import Galleta
import GalletaTesting
import MemorySessions
import TestSupport
import Testing

@Suite("Sessions in responses")
struct SessionStepTests {
    private func application(
        _ provider: (any SessionProvider)? = nil, _ log: CapturedLog = CapturedLog()
    ) throws -> TestClient {
        try testClient(provider: provider, log: log) { app in
            app.get("/none") { _, _ in "none" }
            app.get("/read") { _, session in "\(try session.get("n", as: Int.self) ?? 0)" }
            app.get("/write") { _, session in
                try session.set("n", 1)
                return "written"
            }
            app.get("/cached") { _, session in
                _ = try session.get("n", as: Int.self)
                return Response(headers: [.cacheControl: "public, max-age=60", .vary: "Accept"], body: .string("x"))
            }
            app.get("/fails") { _, session in
                try session.set("n", 99)
                throw HTTPError(.badRequest)
            }
            app.get("/ends") { _, session in
                try session.destroy()
                throw HTTPError(.badRequest)
            }
            app.get("/late") { _, session in
                .stream(type: "text/plain") { writer in
                    do {
                        try session.set("n", 1)
                        try writer.write("begun")
                    } catch {
                        try writer.write("refused")
                    }
                }
            }
            app.get("/add/:key") { request, session in
                try session.set(ByteString(request.pathParameters["key"] ?? ""), 1)
                return "added"
            }
            app.get("/keys") { _, session in "\(try session.keys.count)" }
        }
    }

    @Test("a response that does not touch the session is left alone")
    func untouched() throws {
        let reply = try application().get("/none")
        #expect(reply.headers[.setCookie] == nil && reply.headers[.cacheControl] == nil && reply.headers[.vary] == nil)
        #expect(reply.headers[HTTPField.Name("X-Accel-Expires")!] == nil)
    }

    @Test("one that reads it is private and varies, without a cookie and without a record")
    func read() throws {
        let provider = try MemoryProvider()
        let reply = try application(provider).get("/read")
        #expect(reply.headers[.setCookie] == nil)
        #expect(reply.headers[.cacheControl] == "private, no-cache")
        #expect(reply.headers[.vary] == "Cookie")
        #expect(reply.headers[HTTPField.Name("X-Accel-Expires")!] == "0")
        #expect(provider.count() == 0)
    }

    @Test("one that sets a cookie is never stored")
    func written() throws {
        let reply = try application().get("/write")
        #expect(reply.headers[values: .setCookie].count == 1)
        #expect(reply.headers[.cacheControl] == "private, no-store")
        #expect(reply.headers[.vary] == "Cookie")
        #expect(reply.headers[HTTPField.Name("X-Accel-Expires")!] == "0")
    }

    @Test("a handler's looser cache policy is overruled, its Vary kept")
    func overruled() throws {
        let reply = try application().get("/cached")
        #expect(reply.headers[values: .cacheControl] == ["private, no-cache"])
        #expect(reply.headers[.vary] == "Accept, Cookie")
    }

    @Test("a handler that throws changes nothing, but an ended session stays ended")
    func throwing() throws {
        let client = try application()
        _ = try client.get("/write")
        let cookie = client.cookie("sid")
        #expect(try client.get("/fails").status == 400)
        #expect(try client.get("/read").text == "1")
        let ended = try client.get("/ends")
        #expect(ended.status == 400)
        #expect(ended.headers[.setCookie]?.contains("Max-Age=0") == true)
        client.setCookie("sid", cookie)
        #expect(try client.get("/read").text == "0")
    }

    @Test("a session cannot begin once the header is sent: the handler sees an error")
    func late() throws {
        let client = try application()
        let reply = try client.get("/late")
        #expect(reply.text == "refused")
        #expect(reply.headers[.setCookie] == nil)
        // With a session there is a record to change, and no cookie to send.
        _ = try client.get("/write")
        #expect(try client.get("/late").text == "begun")
    }

    @Test("while the store is down the answer is 503 with Retry-After, and the cookie is left alone")
    func storeDown() throws {
        let log = CapturedLog()
        let client = try application(FailingProvider(), log)
        client.setCookie("sid", String(repeating: "A", count: 43))
        for path in ["/read", "/write"] {
            let reply = try client.get(path)
            #expect(reply.status == 503)
            #expect(reply.headers[.retryAfter] == "5")
            #expect(reply.headers[.setCookie] == nil)
        }
        #expect(try client.get("/none").status == 200)
        #expect(!log.text.contains("AAAA"))
    }

    @Test("parallel requests that set different keys keep them all")
    func parallelKeys() throws {
        let client = try application()
        _ = try client.get("/write")
        DispatchQueue.concurrentPerform(iterations: 20) { index in
            _ = try? client.get("/add/key\(index)")
        }
        #expect(try client.get("/keys").text == "21")
    }
}
