import FastCGI
import GalletaPlatform
import TestSupport
import Testing

@Suite("Handlers that do not come back")
struct StuckHandlerTests {
    /// Requests for `/stuck` wait for the gate, as in a deadlock that somebody resolves in the end.
    private func server(_ gate: Locked<Bool>) throws -> RunningServer {
        try RunningServer({ $0.handlerTimeout = .milliseconds(200) }) { request in
            if request.path == "/stuck" { _ = eventually(within: 60) { gate.withLock { $0 } } }
            return .text(request.path)
        }
    }

    private func stick(_ server: RunningServer) throws {
        let client = try server.client()
        try client.send(FastCGIRecord.request("GET", "/stuck"))
        #expect(try client.reply().isCut)
    }

    @Test("their workers are replaced: with as many stuck as there are workers, the server answers")
    func replaced() throws {
        let gate = Locked(false)
        let server = try server(gate)
        for _ in 0..<2 { try stick(server) }
        #expect(eventually { server.server.statistics.stuckWorkers == 2 })
        for _ in 0..<20 { #expect(try server.client().exchange("GET", "/good").text == "/good") }
        #expect(server.server.statistics.timeouts == 2)
        // A worker is counted as idle a moment after its answer has arrived.
        #expect(eventually { server.server.statistics.activeWorkers == 2 })
        gate.withLock { $0 = true }
        #expect(eventually { server.server.statistics.stuckWorkers == 0 })
        #expect(eventually { server.server.statistics.activeWorkers == 0 })
        #expect(try server.client().exchange("GET", "/good").text == "/good")
    }

    @Test("at most as many as configured are replaced; when those are stuck, too, requests wait until one returns")
    func bounded() throws {
        let gate = Locked(false)
        let server = try server(gate)
        for _ in 0..<4 { try stick(server) }
        #expect(eventually { server.server.statistics.timeouts == 4 })
        #expect(server.server.statistics.stuckWorkers == 2)
        let waiting = try server.client()
        try waiting.send(FastCGIRecord.request("GET", "/good"))
        gate.withLock { $0 = true }
        #expect(try waiting.reply().text == "/good")
        #expect(eventually { server.server.statistics.stuckWorkers == 0 })
        // The two that were not replaced go on working.
        for _ in 0..<20 { #expect(try server.client().exchange("GET", "/good").text == "/good") }
    }

    @Test("each is named in the log, without its query, and has a line in the access log when it is cut, and no other")
    func named() throws {
        let gate = Locked(false)
        let log = CapturedLog()
        let summaries = Locked<[String]>([])
        let server = try RunningServer(
            { $0.handlerTimeout = .milliseconds(200) },
            observer: { summary in
                let line = "\(summary.method) \(summary.path) \(summary.status) \(summary.wasSent)"
                summaries.withLock { $0.append(line) }
            },
            log: log
        ) { request in
            if request.path.hasPrefix("/stuck") { _ = eventually(within: 60) { gate.withLock { $0 } } }
            return .text(request.path)
        }
        for number in 0..<4 {
            let client = try server.client()
            try client.send(
                FastCGIRecord.request("GET", "/stuck/\(number)?token=secret", [("REQUEST_ID", "id\(number)\n forged")]))
            #expect(try client.reply().isCut)
        }
        #expect(eventually { summaries.withLock { $0.count } == 4 })
        let lines = log.lines.filter { $0.contains("ran past its deadline") }
        #expect(lines.count == 4)
        for (number, line) in lines.enumerated() {
            #expect(line.contains("/stuck/\(number)") && line.contains("id\(number)??forged") && line.contains("GET"))
            #expect(line.contains("worker") && line.contains("age") && !line.contains("secret"))
        }
        #expect(summaries.withLock { $0.sorted() } == (0..<4).map { "GET /stuck/\($0) 504 false" })
        #expect(server.server.statistics.failedWrites == 4)
        gate.withLock { $0 = true }
        #expect(eventually { server.server.statistics.activeWorkers == 0 })
        #expect(try server.client().exchange("GET", "/good").text == "/good")
        // Whoever was cut is not told of again when the handler returns.
        #expect(eventually { summaries.withLock { $0.count } == 5 })
        #expect(server.server.statistics.failedWrites == 4)
    }

    @Test("one that a stop cuts has its line in the access log")
    func cutByStop() throws {
        let gate = Locked(false)
        let summaries = Locked<[String]>([])
        let server = try RunningServer(
            { $0.shutdownGrace = .milliseconds(200) },
            observer: { summary in
                let line = "\(summary.path) \(summary.status) \(summary.wasSent)"
                summaries.withLock { $0.append(line) }
            }
        ) { _ in
            _ = eventually(within: 60) { gate.withLock { $0 } }
            return .text("late")
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request("GET", "/stuck"))
        #expect(eventually { server.server.statistics.activeWorkers == 1 })
        #expect(server.stop())
        #expect(summaries.withLock { $0 } == ["/stuck 503 false"])
        gate.withLock { $0 = true }
        #expect(eventually { server.server.statistics.activeWorkers == 0 })
    }

    @Test("a server with handlers that are stuck stops all the same")
    func stops() throws {
        let gate = Locked(false)
        let server = try server(gate)
        for _ in 0..<3 { try stick(server) }
        #expect(server.stop())
        gate.withLock { $0 = true }
        #expect(eventually { server.server.statistics.activeWorkers == 0 })
    }
}
