import FastCGI
import Foundation
import GalletaPlatform
import Glibc
import TestSupport
import Testing

@Suite("Stopping")
struct ShutdownTests {
    @Test("an idle server stops at once")
    func idle() throws {
        let server = try RunningServer { _ in .text("ok") }
        _ = try server.client().exchange(keep: false)
        #expect(server.stop(within: .seconds(4)))
    }

    @Test("a request in flight is finished, and its connection closed after it")
    func inFlight() throws {
        let release = Locked(false)
        let server = try RunningServer { _ in
            _ = eventually(within: 20) { release.withLock { $0 } }
            return .text("finished")
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request())
        #expect(eventually { server.server.statistics.activeWorkers == 1 })
        server.server.shutdown()
        release.withLock { $0 = true }
        #expect(try client.reply().text == "finished")
        #expect(try client.isClosedByServer())
        #expect(server.stop())
    }

    @Test("a kept connection may send one more request while the server drains")
    func keptConnectionDuringDrain() throws {
        let server = try RunningServer({ $0.shutdownGrace = .seconds(20) }) { request in .text(request.path) }
        let client = try server.client()
        #expect(try client.exchange("GET", "/before").text == "/before")
        server.server.shutdown()
        #expect(try client.exchange("POST", "/during", body: [1, 2]).text == "/during")
        #expect(try client.isClosedByServer())
        #expect(server.stop())
    }

    @Test("the last answer on a kept connection carries a record behind its end, so that nginx does not use it again")
    func farewell() throws {
        let server = try RunningServer({ $0.shutdownGrace = .seconds(20) }) { _ in .text("ok") }
        let client = try server.client()
        _ = try client.exchange()
        server.server.shutdown()
        try client.send(FastCGIRecord.request())
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(client.fd, &buffer, buffer.count, 0), count > 0 { bytes += buffer[..<count] }
        #expect(Array(bytes.suffix(32).prefix(8)) == [1, 3, 0, 1, 0, 8, 0, 0])
        #expect(Array(bytes.suffix(16).prefix(8)) == [1, 11, 0, 0, 0, 8, 0, 0])
    }

    @Test("idle connections are closed after half of the grace")
    func idleConnectionsDuringDrain() throws {
        let server = try RunningServer({ $0.shutdownGrace = .milliseconds(400) }) { _ in .text("ok") }
        let clients = try (0..<5).map { _ in try server.client() }
        for client in clients { _ = try client.exchange() }
        server.server.shutdown()
        for client in clients { #expect(try client.isClosedByServer()) }
        #expect(server.stop())
    }

    @Test("a handler that outlives the grace is cut off")
    func graceEnds() throws {
        let release = Locked(false)
        let server = try RunningServer({ $0.shutdownGrace = .milliseconds(200) }) { _ in
            _ = eventually(within: 20) { release.withLock { $0 } }
            return .text("too late")
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request())
        #expect(eventually { server.server.statistics.activeWorkers == 1 })
        server.server.shutdown()
        #expect(try client.reply().isCut)
        release.withLock { $0 = true }
        #expect(server.stop())
    }

    @Test("new connections and requests during a stop are answered or refused, never mixed up")
    func churn() throws {
        for _ in 0..<5 {
            let server = try RunningServer({ $0.workers = 4 }) { request in .text(request.path) }
            let wrong = Locked(0)
            let answered = Locked(0)
            DispatchQueue.concurrentPerform(iterations: 4) { index in
                for round in 0..<60 {
                    if index == 0, round == 30 { server.server.shutdown() }
                    guard let client = try? FastCGIClient(unix: server.socket, within: 0) else { return }
                    for path in ["/\(index)/\(round)/a", "/\(index)/\(round)/b"] {
                        guard let reply = try? client.exchange("GET", path), !reply.isCut else { break }
                        if reply.text == path { answered.withLock { $0 += 1 } } else { wrong.withLock { $0 += 1 } }
                    }
                }
            }
            #expect(server.stop())
            #expect(wrong.withLock { $0 } == 0)
            #expect(answered.withLock { $0 } >= 60)
        }
    }
}
