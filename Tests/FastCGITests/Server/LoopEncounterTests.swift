import FastCGI
import GalletaPlatform
import Glibc
import HTTPTypes
import TestSupport
import Testing

/// What goes wrong only where two things meet: a connection that is lost and a worker that goes on, a stop and a stream, a
/// held worker and a task. Each of these did once.
@Suite("The loop, where two things meet", .serialized)
struct LoopEncounterTests {
    @Test("a client that left does not cancel the next async answer of the same worker")
    func poisoned() throws {
        let isInside = Locked(false)
        let gate = Locked(false)
        let cancelled = Locked<[Bool]>([])
        let server = try RunningServer({ $0.workers = 1 }) { request in
            if request.path == "/page" {
                isInside.withLock { $0 = true }
                _ = eventually(within: 10) { gate.withLock { $0 } }
                return .text("to nobody")
            }
            return Response(
                body: .asyncStream(length: nil) { writer in
                    cancelled.withLock { $0.append(Task.isCancelled) }
                    try await Task.sleep(for: .milliseconds(10))
                    try await writer.write("whole")
                })
        }
        let gone = try server.client()
        try gone.send(FastCGIRecord.request("GET", "/page"))
        #expect(eventually { isInside.withLock { $0 } })
        gone.abort()
        gate.withLock { $0 = true }
        let other = try server.client()
        let reply = try other.exchange("GET", "/stream")
        #expect(reply.text == "whole" && !reply.isCut)
        #expect(cancelled.withLock { $0 } == [false])
    }

    @Test("a body over the limit that stops coming is answered in its time")
    func stalledLargeBody() throws {
        let server = try RunningServer({
            $0.maxBodyBytes = 10
            $0.bodyTimeout = .milliseconds(200)
            $0.handlerTimeout = .milliseconds(500)
        }) { _ in .text("x") }
        let client = try server.client()
        try client.send(FastCGIRecord.head("POST", "/", contentLength: 100))
        client.timeout = 5000
        let reply = try? client.reply()
        #expect(reply?.status == 413 || reply?.status == 408)
        #expect(server.server.statistics.timeouts <= 1)
        client.abort()
        #expect(eventually { server.server.statistics.openConnections == 0 })
    }

    @Test("of two tasks that are resumed together both go on, though one holds its worker")
    func nudges() throws {
        let barrier = Barrier(3)
        let inside = Locked(0)
        let server = try RunningServer { _ in
            await barrier.wait()
            inside.withLock { $0 += 1 }
            return .text(eventually(within: 20) { inside.withLock { $0 } == 2 } ? "both" : "one")
        }
        let clients = try (0..<2).map { _ in try server.client() }
        for client in clients { try client.send(FastCGIRecord.request()) }
        #expect(eventually { barrier.arrived == 2 })
        // Long enough for the crew's clock to go to sleep; whether it does is not what is tested.
        #expect(!eventually(within: 0.3) { barrier.arrived != 2 })
        // Resumes both from a thread that is no worker, and of no pool that others could hold.
        let other = try SystemThread(name: "test") { try? BlockingExecutor().run { await barrier.wait() } }
        for client in clients { #expect(try client.reply().text == "both") }
        #expect(other.join(timeout: .seconds(20)))
    }

    @Test("a worker that an async handler holds past its deadline is replaced, as for a sync one")
    func stuckAsync() throws {
        let gate = Locked(false)
        let server = try RunningServer(
            { $0.handlerTimeout = .milliseconds(200) },
            asyncHandler: { request in
                if request.path == "/stuck" { _ = eventually(within: 60) { gate.withLock { $0 } } }
                return .text(request.path)
            })
        for _ in 0..<2 {
            let client = try server.client()
            try client.send(FastCGIRecord.request("GET", "/stuck"))
            #expect(try client.reply().isCut)
        }
        let good = try server.client()
        good.timeout = 3000
        #expect((try? good.exchange("GET", "/good"))?.text == "/good")
        gate.withLock { $0 = true }
    }

    @Test("a stop ends all streams of events with a word, those that are being written to, too")
    func busyEvents() throws {
        let text = String(repeating: "tick ", count: 20)
        let server = try RunningServer({ $0.shutdownGrace = .seconds(20) }) { _ in
            .events { events in
                while true { try await events.send(text) }
            }
        }
        let clients = try (0..<8).map { _ in try server.client() }
        for client in clients { try client.send(FastCGIRecord.request()) }
        let whole = Locked(0)
        let reading = Locked(0)
        let readers = try clients.map { client in
            try SystemThread(name: "reader") {
                var buffer = [UInt8](repeating: 0, count: 1 << 20)
                var tail: [UInt8] = []
                while case let count = recv(client.fd, &buffer, buffer.count, 0), count > 0 {
                    if tail.isEmpty { reading.withLock { $0 += 1 } }
                    tail = Array((tail + buffer[..<count].suffix(200)).suffix(200))
                }
                if String(decoding: tail, as: UTF8.self).contains("retry: 1000") { whole.withLock { $0 += 1 } }
            }
        }
        #expect(eventually { reading.withLock { $0 } == 8 })
        let start = BootInstant.now
        #expect(server.stop(within: .seconds(15)))
        let took = start.duration(to: .now)
        for reader in readers { _ = reader.join(timeout: .seconds(15)) }
        #expect(whole.withLock { $0 } == 8)
        #expect(took < .seconds(15), "\(took)")
    }

    @Test("a kept request never reads another's body")
    func keptAfterFailedStream() throws {
        let kept = Locked<Request?>(nil)
        let server = try RunningServer({ $0.workers = 1 }) { request in
            guard request.path == "/first" else { return .text("second") }
            kept.withLock { $0 = request }
            return Response(
                body: .stream(length: nil) { writer in
                    for _ in 0..<1000 { try writer.write([UInt8](repeating: 1, count: 100_000)) }
                })
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request("POST", "/first", body: [UInt8](repeating: 65, count: 5000)))
        #expect(eventually { kept.withLock { $0 != nil } })
        client.abort()
        #expect(eventually { server.server.statistics.openConnections == 0 })
        _ = try server.client().exchange("POST", "/second", body: [UInt8](repeating: 66, count: 5000))
        let body = try? kept.withLock { $0 }?.body.collect()
        // 65 would be its own, 66 is the other request's.
        let first = body?.first
        #expect(first == nil)
    }

    @Test("a client that has gone before its request was looked at is noticed by an async handler")
    func goneBefore() throws {
        let gate = Locked(false)
        let isHeld = Locked(false)
        let cancelled = Locked<Bool?>(nil)
        let server = try RunningServer(
            { $0.workers = 1 },
            asyncHandler: { request in
                switch request.path {
                case "/held":
                    isHeld.withLock { $0 = true }
                    _ = eventually(within: 10) { gate.withLock { $0 } }
                case "/long":
                    do {
                        try await Task.sleep(for: .seconds(3))
                        cancelled.withLock { $0 = false }
                    } catch { cancelled.withLock { $0 = true } }
                default: break
                }
                return .text("x")
            })
        let client = try server.client()
        #expect(try client.exchange("GET", "/").text == "x")
        let holder = try server.client()
        try holder.send(FastCGIRecord.request("GET", "/held"))
        #expect(eventually { isHeld.withLock { $0 } })
        try client.send(FastCGIRecord.request("GET", "/long"))
        client.abort()
        gate.withLock { $0 = true }
        // Of the holder and the client that is left one is open.
        #expect(eventually(within: 2) { server.server.statistics.openConnections == 1 })
        #expect(cancelled.withLock { $0 } != false)
    }

    @Test("a second call of shutdown cuts the grace short")
    func secondShutdown() throws {
        let gate = Locked(false)
        let server = try RunningServer({ $0.shutdownGrace = .seconds(60) }) { _ in
            _ = eventually(within: 40) { gate.withLock { $0 } }
            return .text("x")
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request())
        #expect(eventually { server.server.statistics.activeWorkers == 1 })
        server.server.shutdown()
        let start = BootInstant.now
        #expect(server.stop(within: .seconds(15)))
        #expect(start.duration(to: .now) < .seconds(15))
        gate.withLock { $0 = true }
    }

    @Test("at the end of a stop without grace no connection stays open")
    func noGrace() throws {
        let server = try RunningServer({ $0.shutdownGrace = .zero }) { _ in .text("x") }
        let client = try server.client()
        _ = try client.exchange()
        #expect(server.stop())
        #expect(try client.isClosedByServer(within: 1000))
    }

    @Test("an answer to a refused head on a connection that would be kept has the record of a farewell")
    func refusedFarewell() throws {
        let server = try RunningServer({ $0.maxParameters = 5 }) { _ in .text("x") }
        let client = try server.client()
        try client.send(FastCGIRecord.request("GET", "/", (0..<9).map { ("P\($0)", "v") }))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(client.fd, &buffer, buffer.count, 0), count > 0 { bytes += buffer[..<count] }
        #expect(String(decoding: bytes, as: UTF8.self).contains("431"))
        #expect(bytes.suffix(16).prefix(2) == [1, 11])
    }

    @Test("the end of a grace cuts what a worker holds at that moment, and it has its line in the access log")
    func busyStreamCut() throws {
        let summaries = Locked(0)
        let ended = Locked(0)
        let server = try RunningServer(
            { $0.shutdownGrace = .milliseconds(500) }, observer: { _ in summaries.withLock { $0 += 1 } }
        ) { _ in
            Response(
                body: .asyncStream(length: nil) { writer in
                    defer { ended.withLock { $0 += 1 } }
                    while true { try await writer.write([UInt8](repeating: 7, count: 9000)) }
                })
        }
        let clients = try (0..<4).map { _ in try server.client() }
        for client in clients { try client.send(FastCGIRecord.request()) }
        let isOver = Locked(false)
        let reading = Locked(0)
        let readers = try clients.map { client in
            try SystemThread(name: "reader") {
                var buffer = [UInt8](repeating: 0, count: 1 << 20)
                guard recv(client.fd, &buffer, buffer.count, 0) > 0 else { return }
                reading.withLock { $0 += 1 }
                while !isOver.withLock({ $0 }), recv(client.fd, &buffer, buffer.count, 0) > 0 {}
            }
        }
        #expect(eventually { reading.withLock { $0 } == 4 })
        #expect(server.stop(within: .seconds(15)))
        #expect(eventually { summaries.withLock { $0 } == 4 && ended.withLock { $0 } == 4 })
        isOver.withLock { $0 = true }
        for client in clients { shutdown(client.fd, Int32(SHUT_RDWR)) }
        for reader in readers { _ = reader.join(timeout: .seconds(5)) }
    }

    @Test("what was written to the error stream is not lost where the answer becomes a 500")
    func errorsOfFailure() throws {
        let server = try RunningServer { request in
            request.errorStream.write("why")
            return Response(status: .ok, headers: [.contentType: "a\0b"], body: .string("x"))
        }
        let reply = try server.client().exchange()
        #expect(reply.status == 500)
        #expect(String(decoding: reply.errors, as: UTF8.self) == "why\n")
    }

    @Test("streams of events that begin while a stop begins")
    func stopRace() throws {
        for _ in 0..<10 {
            let server = try RunningServer(
                { $0.shutdownGrace = .seconds(20) },
                asyncHandler: { _ in
                    await Task.yield()
                    return .events { events in
                        try await events.send("first")
                        try await Task.sleep(for: .seconds(60))
                    }
                })
            let clients = try (0..<32).map { _ in try server.client() }
            for client in clients { try client.send(FastCGIRecord.request()) }
            let start = BootInstant.now
            #expect(server.stop(within: .seconds(15)))
            #expect(start.duration(to: .now) < .seconds(15))
        }
    }
}
