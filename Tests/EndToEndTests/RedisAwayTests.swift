import TestSupport
import Testing

@Suite("A server whose Redis is away", .serialized)
struct RedisAwayTests {
    enum Absence: CaseIterable { case crashed, stopped, hanging }

    @Test(
        "503 where a session is needed, with no word to the cookie; all else goes on, and so does the visitor afterwards",
        arguments: Absence.allCases)
    func away(absence: Absence) throws {
        let redis = try RedisServer(["appendonly yes", "appendfsync always"])
        let server = try GalletaProcess(["--provider", "redis", "--session-option", "url=unix://\(redis.socket)"])
        let nginx = try Nginx(socket: server.socket)
        let client = try nginx.client()
        let cookie = try #require(try client.get("/app/counter").cookie)
        let header = ["Cookie: \(cookie)"]
        var count = 1
        for _ in 0..<2 {
            switch absence {
            case .crashed: redis.kill()
            case .stopped: redis.stop()
            case .hanging: redis.pause()
            }
            for _ in 0..<20 {
                for cookies in [header, []] {
                    let reply = try client.get("/app/counter", cookies)
                    #expect(reply.status == 503)
                    #expect(reply["Retry-After"].flatMap { Int($0) } ?? 0 > 0)
                    #expect(reply["Set-Cookie"] == nil)
                }
                #expect(try client.get("/app/ping").status == 200)
            }
            if absence == .hanging { redis.resume() } else { try redis.restart() }
            // What hung may have been counted after its time: then it was once.
            let back = eventually {
                let reply = try? client.get("/app/counter", header)
                count = reply.flatMap { Int($0.text.dropLast()) } ?? count
                return reply?.status == 200
            }
            #expect(back)
            for next in count + 1...count + 20 {
                let reply = try client.get("/app/counter", header)
                #expect((reply.status, reply.text) == (200, "\(next)\n"))
            }
            count += 20
        }
        // The looks at a Redis that hung took a stranger's and this visitor's requests, of which few were sent.
        #expect(absence == .hanging || count == 1 + 2 * 21)
        #expect(server.process.isRunning)
    }

    @Test("one that hangs holds up those who need a session, and no others; each of them is counted once afterwards")
    func hanging() throws {
        let redis = try RedisServer()
        let server = try GalletaProcess([
            "--workers", "2", "--provider", "redis", "--session-option", "url=unix://\(redis.socket)",
            // So much, that nobody gives up: who finds no connection free waits for a new one.
            "--session-option", "timeout=30000", "--session-option", "connectTimeout=30000",
        ])
        let first = try FastCGIClient(unix: server.socket)
        let begun = try first.exchange("GET", "/app/counter")
        let cookie = ("HTTP_COOKIE", try #require(begun["Set-Cookie"]?.split(separator: ";").first.map(String.init)))
        #expect(try first.exchange("GET", "/app/counter", [cookie]).text == "2\n")
        redis.pause()
        let waiting = try (0..<100).map { _ in try FastCGIClient(unix: server.socket) }
        for client in waiting { try client.send(FastCGIRecord.request("GET", "/app/counter", [cookie])) }
        for _ in 0..<200 { #expect(try first.exchange("GET", "/app/ping").status == 200) }
        redis.resume()
        let replies = try waiting.map { try $0.reply() }
        #expect(replies.allSatisfy { $0.status == 200 }, "\(replies.map(\.status)) \(server.log)")
        let counts = replies.map { Int($0.text.dropLast()) ?? 0 }
        #expect(counts.sorted() == Array(3...102))
    }
}
