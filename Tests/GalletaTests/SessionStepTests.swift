import Foundation
import Galleta
import GalletaPlatform
import MemorySessions
import TestSupport
import Testing

@Suite("Sessions in responses")
struct SessionStepTests {
    private func application(_ provider: (any SessionProvider)? = nil) throws -> RunningApplication {
        try RunningApplication(provider: provider) { app in
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

    private func cookie(_ reply: FastCGIReply) throws -> (String, String) {
        ("HTTP_COOKIE", try #require(reply["Set-Cookie"]?.split(separator: ";").first.map(String.init)))
    }

    @Test("a response that does not touch the session is left alone")
    func untouched() throws {
        let reply = try application().client().exchange("GET", "/none")
        #expect(reply["Set-Cookie"] == nil && reply["Cache-Control"] == nil && reply["Vary"] == nil)
        #expect(reply["X-Accel-Expires"] == nil)
    }

    @Test("one that reads it is private and varies, without a cookie and without a record")
    func read() throws {
        let provider = try MemoryProvider()
        let reply = try application(provider).client().exchange("GET", "/read")
        #expect(reply["Set-Cookie"] == nil)
        #expect(reply["Cache-Control"] == "private, no-cache")
        #expect(reply["Vary"] == "Cookie")
        #expect(reply["X-Accel-Expires"] == "0")
        #expect(provider.count() == 0)
    }

    @Test("one that sets a cookie is never stored")
    func written() throws {
        let reply = try application().client().exchange("GET", "/write")
        #expect(reply.all("Set-Cookie").count == 1)
        #expect(reply["Cache-Control"] == "private, no-store")
        #expect(reply["Vary"] == "Cookie")
        #expect(reply["X-Accel-Expires"] == "0")
    }

    @Test("a handler's looser cache policy is overruled, its Vary kept")
    func overruled() throws {
        let reply = try application().client().exchange("GET", "/cached")
        #expect(reply.all("Cache-Control") == ["private, no-cache"])
        #expect(reply["Vary"] == "Accept, Cookie")
    }

    @Test("a handler that throws changes nothing, but an ended session stays ended")
    func throwing() throws {
        let client = try application().client()
        let cookie = try cookie(client.exchange("GET", "/write"))
        #expect(try client.exchange("GET", "/fails", [cookie]).status == 400)
        #expect(try client.exchange("GET", "/read", [cookie]).text == "1")
        let ended = try client.exchange("GET", "/ends", [cookie])
        #expect(ended.status == 400)
        #expect(ended["Set-Cookie"]?.contains("Max-Age=0") == true)
        #expect(try client.exchange("GET", "/read", [cookie]).text == "0")
    }

    @Test("a session cannot begin once the header is sent: the handler sees an error")
    func late() throws {
        let client = try application().client()
        let reply = try client.exchange("GET", "/late")
        #expect(reply.text == "refused")
        #expect(reply["Set-Cookie"] == nil)
        // With a session there is a record to change, and no cookie to send.
        let cookie = try cookie(client.exchange("GET", "/write"))
        #expect(try client.exchange("GET", "/late", [cookie]).text == "begun")
    }

    @Test("while the store is down the answer is 503 with Retry-After, and the cookie is left alone")
    func storeDown() throws {
        let application = try application(FailingProvider())
        let client = try application.client()
        let cookie = ("HTTP_COOKIE", "sid=" + String(repeating: "A", count: 43))
        for path in ["/read", "/write"] {
            let reply = try client.exchange("GET", path, [cookie])
            #expect(reply.status == 503)
            #expect(reply["Retry-After"] == "5")
            #expect(reply["Set-Cookie"] == nil)
        }
        #expect(try client.exchange("GET", "/none", [cookie]).status == 200)
        #expect(!application.log.text.contains("AAAA"))
    }

    @Test("parallel requests that set different keys keep them all")
    func parallelKeys() throws {
        let application = try application()
        let client = try application.client()
        let cookie = try cookie(client.exchange("GET", "/write"))
        DispatchQueue.concurrentPerform(iterations: 20) { index in
            _ = try? application.client().exchange("GET", "/add/key\(index)", [cookie])
        }
        #expect(try client.exchange("GET", "/keys", [cookie]).text == "21")
    }
}
