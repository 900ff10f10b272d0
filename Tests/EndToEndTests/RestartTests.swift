import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Restarting under load", .serialized)
struct RestartTests {
    /// Sends GET and POST in turn from several clients until told to stop.
    private final class Load: @unchecked Sendable {
        private let lock = NSLock()
        private var isOver = false
        private var wrong: [String] = []
        private var answered = 0
        private let group = DispatchGroup()

        init(_ nginx: Nginx, clients: Int) {
            for _ in 0..<clients {
                // A thread each: the pool of Dispatch is for others.
                group.enter()
                Thread { [self] in
                    defer { group.leave() }
                    guard var client = try? nginx.client() else { return }
                    var round = 0
                    while !lock.withLock({ isOver }) {
                        round += 1
                        let isPost = round % 2 == 0
                        do {
                            let reply =
                                isPost
                                ? try client.request("POST", "/app/hello", body: Array("x=1".utf8))
                                : try client.get("/app/hello")
                            let isRight = reply.status == (isPost ? 405 : 200)
                            lock.withLock { if isRight { answered += 1 } else { wrong.append("\(reply.status)") } }
                            // nginx ends a client's connection after 1,000 requests, which a slow restart leaves time for.
                            if reply.endsConnection { client = try nginx.client() }
                        } catch {
                            return lock.withLock { wrong.append("\(error)") }
                        }
                    }
                }.start()
            }
        }

        var count: Int { lock.withLock { answered } }

        func finish() -> [String] {
            lock.withLock { isOver = true }
            group.wait()
            return lock.withLock { wrong }
        }
    }

    @Test("successors on an inherited socket take over without a lost request, GET or POST")
    func inheritedSocket() throws {
        let socket = try InheritedSocket()
        var current = try socket.start()
        let nginx = try Nginx(socket: socket.path)
        let load = Load(nginx, clients: 16)
        for _ in 0..<4 {
            let before = load.count
            #expect(eventually(within: 20) { load.count > before + 300 })
            let successor = try socket.start()
            // Sessions in memory are one process's own, so the successor does not serve beside its predecessor.
            #expect(eventually(within: 20) { successor.output.contains("waiting for it to stop") })
            current.signal(SIGTERM)
            #expect(eventually(within: 20) { successor.output.contains("listening on") })
            #expect(current.exitCode() == 0)
            current = successor
        }
        let wrong = load.finish()
        #expect(wrong.isEmpty, "\(wrong) \(nginx.errorLog)")
        #expect(!nginx.errorLog.contains("[error]"))
    }

    @Test("SIGTERM under load finishes every request in flight")
    func terminate() throws {
        let server = try GalletaProcess(["--shutdown-grace", "4s"])
        // Straight to the server: each client sees whether its answer came whole.
        let lock = NSLock()
        nonisolated(unsafe) var cut = 0
        nonisolated(unsafe) var answered = 0
        let group = DispatchGroup()
        for _ in 0..<8 {
            group.enter()
            Thread {
                defer { group.leave() }
                while let client = try? FastCGIClient(unix: server.socket, within: 0) {
                    // Not kept: the server may not close it before the answer.
                    guard let reply = try? client.exchange("GET", "/app/hello", keep: false) else { return }
                    lock.withLock { if reply.isCut { cut += 1 } else { answered += 1 } }
                }
            }.start()
        }
        #expect(eventually { lock.withLock { answered } > 500 })
        server.process.signal(SIGTERM)
        #expect(server.process.exitCode() == 0)
        group.wait()
        #expect(lock.withLock { cut } == 0)
    }
}
