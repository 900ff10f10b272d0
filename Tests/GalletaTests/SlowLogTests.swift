import Galleta
import GalletaPlatform
import Glibc
import MemorySessions
import TestSupport
import Testing

@Suite("The slow log")
struct SlowLogTests {
    private let gate = Locked(false)

    private func application(
        _ limit: Duration? = .milliseconds(20), provider: (any SessionProvider)? = nil, workers: Int = 2,
        timeout: Duration = .seconds(60)
    ) throws -> RunningApplication {
        let gate = gate
        return try RunningApplication(
            provider: provider, mount: "/app", workers: workers,
            server: {
                $0.slowRequestTime = limit
                $0.handlerTimeout = timeout
            }
        ) { app in
            app.get("/pause/:what") { _, _ in
                usleep(30_000)
                return ""
            }
            app.get("/held") { _, _ in
                _ = eventually(within: 60) { gate.withLock { $0 } }
                return ""
            }
            app.get("/async") { _, _ async in
                usleep(30_000)
                return ""
            }
            app.get("/count") { _, session in "\(try session.update("n", default: 0) { $0 += 1; return $0 })" }
            app.get("/set") { _, session in
                try session.set("n", 1)
                return ""
            }
            app.get("/stream") { _, _ in
                .stream(type: "text/plain") { writer in
                    usleep(30_000)
                    try writer.write("x")
                }
            }
            app.post("/form") { _, _ in "" }
        }
    }

    /// What the line about a request says, by name.
    private func line(_ application: RunningApplication, of id: String) throws -> [String: String] {
        func find() -> String? {
            application.log.lines.first { $0.contains("slow request") && $0.contains("\"request_id\": \(id)") }
        }
        #expect(eventually { find() != nil }, "\(application.log.text)")
        let line = try #require(find())
        #expect(line.hasPrefix("warning slow request"))
        let fields = line.drop { $0 != "[" }.dropFirst().dropLast().split(separator: ",")
        return Dictionary(
            uniqueKeysWithValues: fields.map { field in
                let parts = field.split(separator: ":", maxSplits: 1).map { part in
                    String(part.drop { $0 == " " || $0 == "\"" }.filter { $0 != "\"" })
                }
                return (parts[0], parts.count > 1 ? parts[1] : "")
            })
    }

    /// Its times, in milliseconds; they add up.
    private func times(_ application: RunningApplication, of id: String) throws -> [String: Double] {
        let times = try line(application, of: id).filter { $0.key.hasSuffix("_ms") }.compactMapValues(Double.init)
        #expect(times.count == 6)
        let sum = times.filter { $0.key != "total_ms" }.values.reduce(0, +)
        #expect(abs(sum - (times["total_ms"] ?? 0)) < 0.01, "\(times)")
        return times
    }

    private func ask(_ application: RunningApplication, _ path: String) throws -> FastCGIReply {
        try application.client().exchange("GET", "/app" + path, [("REQUEST_ID", "r1")])
    }

    @Test("names a request by id, method, path and route, never by its query")
    func names() throws {
        let application = try application()
        _ = try ask(application, "/pause/x?secret=1")
        let line = try line(application, of: "r1")
        #expect(line["method"] == "GET" && line["path"] == "/app/pause/x" && line["route"] == "/pause/:what")
        #expect(line["status"] == "200")
        #expect(!application.log.text.contains("secret"))
        #expect(try times(application, of: "r1")["handler_ms"]! >= 30)
    }

    @Test("is off by default, and silent on what is under its time", arguments: [nil, Duration.seconds(3_600)])
    func silent(limit: Duration?) throws {
        let application = try application(limit)
        _ = try ask(application, "/pause/x")
        #expect(try ask(application, "/count").text == "1")
        #expect(eventually { application.status.latency.count == 2 })
        #expect(!application.log.text.contains("slow request"))
        #expect(Server.Configuration().slowRequestTime == nil)
    }

    @Test("tells what its session store has taken from what its handler has")
    func store() throws {
        let application = try application(provider: PausingProvider(try MemoryProvider(), milliseconds: 30))
        let cookie = try #require(try ask(application, "/count").sessionCookie)
        let first = try times(application, of: "r1")
        #expect(first["store_ms"]! >= 30 && first["handler_ms"]! < first["total_ms"]! - 30)
        _ = try application.client().exchange(
            "GET", "/app/count", [("HTTP_COOKIE", cookie), ("REQUEST_ID", "r2")])
        // A look-up and a commit.
        #expect(try times(application, of: "r2")["store_ms"]! >= 60)
    }

    @Test("takes the time of a store that is awaited, one that does not answer included", arguments: [false, true])
    func awaitedStore(isCut: Bool) throws {
        let provider = ParkedProvider(try MemoryProvider())
        let application = try application(provider: provider, timeout: isCut ? .milliseconds(300) : .seconds(60))
        let cookie = try #require(try application.client().exchange("GET", "/app/set").sessionCookie)
        provider.hold()
        let client = try application.client()
        try client.send(FastCGIRecord.request("GET", "/app/set", [("REQUEST_ID", "r7"), ("HTTP_COOKIE", cookie)]))
        #expect(eventually { provider.heldCount == 1 })
        usleep(30_000)
        if !isCut { provider.release() }
        defer { provider.release() }
        let times = try times(application, of: "r7")
        #expect(times["store_ms"]! >= 30, "\(times)")
        #expect(try line(application, of: "r7")["status"] == (isCut ? "504" : "200"))
    }

    @Test("takes what a task has done for its handler's")
    func asyncHandler() throws {
        let application = try application()
        _ = try ask(application, "/async")
        #expect(try times(application, of: "r1")["handler_ms"]! >= 30)
    }

    @Test("tells what a body has taken on its way")
    func body() throws {
        let application = try application()
        let client = try application.client()
        let bytes = FastCGIRecord.request("POST", "/app/form", body: Array("a=b".utf8), [("REQUEST_ID", "r1")])
        try client.send(Array(bytes.dropLast(8)))
        #expect(eventually { application.status.connections.readingBody == 1 })
        usleep(30_000)
        try client.send(Array(bytes.suffix(8)))
        #expect(try client.reply().status == 200)
        #expect(try times(application, of: "r1")["body_ms"]! >= 30)
    }

    @Test("tells what sending has taken")
    func sending() throws {
        let application = try application()
        _ = try ask(application, "/stream")
        #expect(try times(application, of: "r1")["send_ms"]! >= 30)
    }

    @Test("tells what a request has waited while no worker was free")
    func waiting() throws {
        let application = try application(workers: 1)
        let (first, second) = (try application.client(), try application.client())
        // The connection is there already: what waits is its request.
        _ = try second.exchange("GET", "/app/nothing")
        try first.send(FastCGIRecord.request("GET", "/app/held", [("REQUEST_ID", "r1")]))
        #expect(eventually { application.status.statistics.activeWorkers == 1 })
        try second.send(FastCGIRecord.request("GET", "/app/nothing", [("REQUEST_ID", "r2")]))
        usleep(40_000)
        gate.withLock { $0 = true }
        #expect(try second.reply().status == 404)
        let times = try times(application, of: "r2")
        #expect(times["wait_ms"]! >= 40, "\(times)")
        #expect(try line(application, of: "r2")["route"] == "-")
    }

    @Test("names a handler that is past its deadline")
    func stuck() throws {
        let application = try application(timeout: .milliseconds(50))
        let client = try application.client()
        try client.send(FastCGIRecord.request("GET", "/app/held", [("REQUEST_ID", "r1")]))
        #expect(try line(application, of: "r1")["status"] == "504")
        #expect(try times(application, of: "r1")["handler_ms"]! >= 50)
        gate.withLock { $0 = true }
    }
}
