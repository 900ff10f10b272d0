import Foundation
import TestSupport
import Testing

@Suite("A visitor behind nginx", .serialized)
struct VisitorTests {
    private let server: GalletaProcess
    private let nginx: Nginx

    init() throws {
        server = try GalletaProcess(["--max-body", "1m"])
        nginx = try Nginx(socket: server.socket)
    }

    @Test("50 parallel increments by one visitor are 50")
    func parallelIncrements() throws {
        let cookie = try #require(try nginx.client().get("/app/counter").cookie)
        let nginx = nginx
        DispatchQueue.concurrentPerform(iterations: 50) { _ in
            _ = try? nginx.client().get("/app/counter", ["Cookie: \(cookie)"])
        }
        #expect(try nginx.client().get("/app/counter", ["Cookie: \(cookie)"]).text == "52\n")
    }

    @Test("200 visits to a page that does not use the session set no cookie")
    func noCookie() throws {
        let client = try nginx.client()
        for _ in 0..<200 {
            let reply = try client.get("/app/hello")
            #expect(reply.status == 200)
            #expect(reply["Set-Cookie"] == nil)
            #expect(reply["Cache-Control"] == nil)
        }
        let reading = try client.get("/app/whoami")
        #expect(reading["Set-Cookie"] == nil)
        #expect(reading["Cache-Control"] == "private, no-cache")
        #expect(reading["Vary"] == "Cookie")
    }

    @Test(
        "an unknown or malformed id is never adopted and never an error",
        arguments: [
            "sid=" + String(repeating: "A", count: 43), "sid=short", "sid=", "sid",
            "sid=" + String(repeating: "x", count: 3000),
            "sid=\"" + String(repeating: "A", count: 43) + "\"", "sid=%00%ff", "sid=../../etc/passwd", "=;=;;,,",
        ]
    )
    func foreignID(cookie: String) throws {
        let client = try nginx.client()
        let reply = try client.get("/app/counter", ["Cookie: \(cookie)"])
        #expect(reply.status == 200)
        #expect(reply.text == "1\n")
        let issued = try #require(reply.cookie)
        #expect(issued != cookie)
        #expect(try client.get("/app/whoami", ["Cookie: \(cookie)"])["Set-Cookie"] == nil)
    }

    @Test("the session is found in the second of two Cookie headers, and beside other cookies")
    func severalCookies() throws {
        let client = try nginx.client()
        let cookie = try #require(try client.get("/app/counter").cookie)
        #expect(try client.get("/app/counter", ["Cookie: other=1", "Cookie: \(cookie)"]).text == "2\n")
        #expect(try client.get("/app/counter", ["Cookie: a=1; \(cookie); b=2"]).text == "3\n")
        let foreign = "sid=" + String(repeating: "B", count: 43)
        #expect(try client.get("/app/counter", ["Cookie: \(foreign); \(cookie)"]).text == "4\n")
        // Four dead ones before the live one lock nobody out; a comma parts nothing.
        let dead = (0..<31).map { "sid=" + String(repeating: "B", count: 41) + ["\($0 / 10)", "\($0 % 10)"].joined() }
        let header = (dead + [cookie]).joined(separator: "; ")
        #expect(try client.get("/app/counter", ["Cookie: \(header)"]).text == "5\n")
        #expect(try client.get("/app/counter", ["Cookie: a=1, \(cookie)"]).text == "1\n")
        // HEAD looks, and counts nothing.
        for path in ["/app/counter", "/app/"] {
            #expect(try client.request("HEAD", path, ["Cookie: \(cookie)"]).status == 200)
        }
        #expect(try client.get("/app/counter", ["Cookie: \(cookie)"]).text == "6\n")
    }

    @Test("HEAD has no body, and the connection goes on")
    func head() throws {
        let client = try nginx.client()
        let reply = try client.request("HEAD", "/app/hello")
        #expect(reply.status == 200)
        #expect(reply["Content-Length"] == "19")
        #expect(try client.get("/app/ping").text == "pong\n")
    }

    @Test("unknown paths are 404, other methods 405 with Allow, outside the mount point it is not asked")
    func errors() throws {
        let client = try nginx.client()
        #expect(try client.get("/app/nowhere").status == 404)
        let wrong = try client.request("DELETE", "/app/counter")
        #expect(wrong.status == 405)
        #expect(wrong["Allow"] == "GET, HEAD, POST")
        #expect(try client.get("/elsewhere").status == 404)
        #expect(server.process.stop() == 0)
        #expect(!server.log.contains("/elsewhere"))
    }

    @Test("a body over the limit is 413, not 502, and the connection goes on")
    func largeBody() throws {
        let client = try nginx.client()
        for path in ["/app/login", "/app/hello"] {
            let reply = try client.request("POST", path, body: [UInt8](repeating: 65, count: 3_000_000))
            #expect(reply.status == 413)
            #expect(try client.get("/app/ping").text == "pong\n")
        }
        #expect(!nginx.errorLog.contains("[error]"))
    }

    @Test("the access log has one line a request, without query and cookie")
    func accessLog() throws {
        let client = try nginx.client()
        _ = try client.get("/app/hello?token=secret", ["Cookie: sid=alsosecret"])
        #expect(server.hasLogged("GET /app/hello 200"))
        #expect(!server.log.contains("secret"))
        #expect(server.log.contains(" id="))
    }
}
