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
