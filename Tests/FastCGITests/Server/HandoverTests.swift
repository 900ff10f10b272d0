import FastCGI
import Foundation
import GalletaPlatform
import Glibc
import TestSupport
import Testing

@Suite("Handing connections over")
struct HandoverTests {
    /// What a service manager holds between two servers.
    private final class Store: Sendable {
        private let held = Locked<[Int32]>([])

        @Sendable func take(_ descriptors: [Int32]) -> Bool {
            held.withLock { $0 += descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 3) } }
            return true
        }

        var count: Int { held.withLock { $0.count } }

        func empty() -> [Int32] {
            held.withLock { held in
                defer { held = [] }
                return held
            }
        }

        deinit {
            for fd in empty() { close(fd) }
        }
    }

    /// A server that says its name, with what the store holds; what it has at its end goes there.
    private func start(
        _ name: String, _ store: Store, room: Int = 100, handler: @escaping Server.Handler = { _ in .text("") }
    ) throws -> RunningServer {
        try RunningServer { listener, logger in
            for fd in store.empty() { listener.leave(fd) }
            var configuration = Server.Configuration()
            configuration.workers = 2
            configuration.shutdownGrace = .seconds(20)
            let server = try Server(configuration: configuration, listeners: [listener], logger: logger) { request in
                request.path == "/name" ? .text(name) : try handler(request)
            }
            server.handOverConnections(atMost: room, to: store.take)
            return server
        }
    }

    @Test("a request that is sent between two servers is answered by the second, on the same connection")
    func between() throws {
        let store = Store()
        let first = try start("first", store)
        let clients = try (0..<5).map { _ in try FastCGIClient(unix: first.socket) }
        for client in clients { #expect(try client.exchange("GET", "/name").text == "first") }
        // One that has not sent anything yet.
        let fresh = try FastCGIClient(unix: first.socket)
        #expect(eventually { first.server.statistics.openConnections == 6 })
        #expect(first.stop())
        #expect(store.count == 6)
        for client in clients { try client.send(FastCGIRecord.request("POST", "/name", body: [1, 2, 3])) }
        let second = try start("second", store)
        for client in clients { #expect(try client.reply().text == "second") }
        #expect(try fresh.exchange("GET", "/name").text == "second")
        #expect(second.server.statistics.openConnections == 6)
    }

    @Test("what has begun is answered by who has begun it, and nothing follows the answer's end")
    func begun() throws {
        let store = Store()
        let release = Locked(false)
        let first = try start("first", store) { _ in
            _ = eventually(within: 20) { release.withLock { $0 } }
            return .text("finished")
        }
        let busy = try FastCGIClient(unix: first.socket)
        try busy.send(FastCGIRecord.request("GET", "/wait"))
        let slow = try FastCGIClient(unix: first.socket)
        let request = FastCGIRecord.request("GET", "/name")
        try slow.send(Array(request[..<20]))
        #expect(
            eventually { first.server.statistics.activeWorkers == 1 && first.server.statistics.openConnections == 2 })
        // The head's first bytes have been read when another connection, which was made later, has its answer.
        _ = try FastCGIClient(unix: first.socket).exchange("GET", "/name", keep: false)
        first.server.shutdown()
        try slow.send(Array(request[20...]))
        #expect(try slow.reply().text == "first")
        release.withLock { $0 = true }
        #expect(try busy.reply().text == "finished")
        #expect(first.hasStopped(within: .seconds(20)))
        #expect(store.count == 2)
        let second = try start("second", store)
        // A farewell would be the first record that comes.
        for client in [busy, slow] { #expect(try client.exchange("GET", "/name").text == "second") }
        withExtendedLifetime(second) {}
    }

    @Test("without room for all the others are answered once more and closed")
    func room() throws {
        let store = Store()
        let first = try start("first", store, room: 0)
        let client = try FastCGIClient(unix: first.socket)
        _ = try client.exchange("GET", "/name")
        first.server.shutdown()
        #expect(try client.exchange("POST", "/name", body: [1]).text == "first")
        #expect(try client.isClosedByServer())
        #expect(first.hasStopped(within: .seconds(20)))
        #expect(store.count == 0)
    }

    @Test("who is not let in any more is not taken over")
    func allowList() throws {
        let store = Store()
        let first = try start("first", store)
        let client = try FastCGIClient(unix: first.socket)
        _ = try client.exchange("GET", "/name")
        #expect(first.stop())
        // What has no address is none of those.
        let listener = try Listener.tcp(host: "127.0.0.1", port: 0, allow: ["192.0.2.1"])
        for fd in store.empty() { listener.leave(fd) }
        let second = try Server(listeners: [listener]) { _ in .text("second") }
        let thread = try SystemThread(name: "second") { try? second.run() }
        #expect(try client.isClosedByServer())
        second.shutdown()
        #expect(thread.join(timeout: .seconds(20)))
    }

    @Test("no request of many clients is lost in ten handovers, whatever the moment")
    func churn() throws {
        let store = Store()
        var current = try start("0", store)
        let isOver = Locked(false)
        let wrong = Locked<[String]>([])
        let answered = Locked(0)
        let clients = try (0..<8).map { _ in try FastCGIClient(unix: current.socket) }
        let threads = try clients.map { client in
            try SystemThread(name: "client") {
                var round = 0
                while !isOver.withLock({ $0 }) {
                    round += 1
                    do {
                        let isPost = round % 2 == 0
                        let reply = try client.exchange(isPost ? "POST" : "GET", "/name", body: isPost ? [7] : [])
                        if Int(reply.text) == nil { wrong.withLock { $0.append("\(reply)") } }
                        answered.withLock { $0 += 1 }
                    } catch {
                        return wrong.withLock { $0.append("\(error)") }
                    }
                }
            }
        }
        for number in 1...10 {
            let before = answered.withLock { $0 }
            #expect(eventually { answered.withLock { $0 } > before + 50 || wrong.withLock { !$0.isEmpty } })
            #expect(current.stop())
            #expect(store.count == 8)
            current = try start("\(number)", store)
        }
        isOver.withLock { $0 = true }
        for thread in threads { #expect(thread.join(timeout: .seconds(20))) }
        #expect(wrong.withLock { $0 } == [])
        withExtendedLifetime(current) {}
    }
}
