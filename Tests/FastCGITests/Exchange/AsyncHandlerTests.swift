import FastCGI
import Foundation
import GalletaPlatform
import Glibc
import TestSupport
import Testing

@Suite("Async handlers")
struct AsyncHandlerTests {
    @Test("hold no worker while they wait: 200 sleep at a time on 2 workers")
    func manySleepers() throws {
        // None goes on before all are there.
        let barrier = Barrier(200)
        let server = try RunningServer { request in
            if request.path == "/waits" { await barrier.wait() }
            return .text("slept")
        }
        let clients = try (0..<200).map { _ in try server.client() }
        for client in clients { try client.send(FastCGIRecord.request("GET", "/waits")) }
        for client in clients { #expect(try client.reply().text == "slept") }
        // The connections are good for other requests.
        for client in clients.prefix(20) { #expect(try client.exchange().text == "slept") }
    }

    @Test("child tasks, actors and errors come through, and the body is there")
    func structured() throws {
        actor Sum {
            var value = 0
            func add(_ number: Int) { value += number }
        }
        let server = try RunningServer { request in
            let sum = Sum()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...100 { group.addTask { await sum.add(number) } }
                try await group.waitForAll()
            }
            if request.path == "/throws" { throw CancellationError() }
            return .text("\(await sum.value) \(try request.body.string().count)")
        }
        let client = try server.client()
        let body = [UInt8](repeating: 65, count: 100_000)
        #expect(try client.exchange("POST", "/", body: body).text == "5050 100000")
        #expect(try client.exchange("GET", "/throws").status == 500)
        #expect(try client.exchange("GET", "/").text == "5050 0")
    }

    @Test("parts of a task run on the workers, which go on with others between them")
    func onWorkers() throws {
        let server = try RunningServer({ $0.workers = 1 }) { request in
            var names: Set<String> = []
            for _ in 0..<20 {
                names.insert(threadName())
                await Task.yield()
                await pause(milliseconds: 1)
            }
            return .text(names.sorted().joined(separator: " "))
        }
        let clients = try (0..<10).map { _ in try server.client() }
        for client in clients { try client.send(FastCGIRecord.request()) }
        let texts = try clients.map { try $0.reply().text }
        #expect(texts == [String](repeating: "fcgi-0", count: clients.count))
    }

    @Test("past its deadline a task is cancelled, its connection closed, and it is named in the log")
    func deadline() throws {
        let wasCancelled = Locked(false)
        let log = CapturedLog()
        let summaries = Locked<[Int]>([])
        let server = try RunningServer(
            { $0.handlerTimeout = .milliseconds(200) },
            observer: { summary in summaries.withLock { $0.append(summary.status) } }, log: log
        ) { request in
            do { try await Task.sleep(for: .seconds(60)) } catch { wasCancelled.withLock { $0 = request.isCancelled } }
            return .text("late")
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request("GET", "/slow?secret"))
        #expect(try client.reply().isCut)
        #expect(eventually { wasCancelled.withLock { $0 } })
        #expect(eventually { summaries.withLock { $0 } == [504] })
        #expect(eventually { server.server.statistics.openConnections == 0 })
        #expect(server.server.statistics.timeouts == 1 && server.server.statistics.stuckWorkers == 0)
        let lines = log.lines.filter { $0.contains("ran past its deadline") }
        #expect(lines.count == 1 && lines[0].contains("/slow") && !lines[0].contains("secret"))
    }

    @Test("when its client goes a task is cancelled at once, and the connection forgotten")
    func peerGone() throws {
        let wasCancelled = Locked(false)
        let isThere = Locked(false)
        let summaries = Locked<[Int]>([])
        let server = try RunningServer(
            observer: { summary in summaries.withLock { $0.append(summary.status) } }
        ) { request in
            isThere.withLock { $0 = true }
            do { try await Task.sleep(for: .seconds(60)) } catch { wasCancelled.withLock { $0 = request.isCancelled } }
            return .text("to nobody")
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request())
        #expect(eventually { isThere.withLock { $0 } })
        client.abort()
        #expect(eventually { wasCancelled.withLock { $0 } })
        #expect(eventually { server.server.statistics.openConnections == 0 })
        #expect(summaries.withLock { $0 } == [499])
        #expect(server.stop(within: .seconds(5)))
    }

    @Test("a request that outlives its exchange has no body any more", arguments: [10, 300_000])
    func keptRequest(size: Int) throws {
        let kept = Locked<Request?>(nil)
        let server = try RunningServer { request in
            kept.withLock { $0 = request }
            try? await Task.sleep(for: .seconds(60))
            return .text("to nobody")
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request("POST", "/kept", body: [UInt8](repeating: 65, count: size)))
        #expect(eventually { kept.withLock { $0 != nil } })
        client.abort()
        #expect(eventually { server.server.statistics.openConnections == 0 })
        let request = try #require(kept.withLock { $0 })
        // The task ends a moment later, and the body with it.
        #expect(eventually { (try? request.body.collect()) == nil })
        #expect(request.path == "/kept" && request.isCancelled)
    }

    @Test("a client that only says that it sends no more gets its answer")
    func halfClosed() throws {
        let server = try RunningServer { _ in
            await pause(milliseconds: 100)
            return .text("answered")
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request())
        client.closeSending()
        #expect(try client.reply().text == "answered")
    }

    @Test("a request that comes while another's handler waits is answered after it")
    func pipelined() throws {
        let server = try RunningServer { request in
            if request.path == "/first" { await pause(milliseconds: 100) }
            return .text(request.path)
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request("GET", "/first") + FastCGIRecord.request("GET", "/second"))
        #expect(try client.reply().text == "/first")
        #expect(try client.reply().text == "/second")
        try client.send(FastCGIRecord.request("GET", "/first"))
        try client.send(FastCGIRecord.request("GET", "/third"))
        #expect(try client.reply().text == "/first")
        #expect(try client.reply().text == "/third")
    }

    @Test("a stop waits for a handler within its grace, and cancels it after that")
    func stopping() throws {
        let wasCancelled = Locked(false)
        let inside = Locked(0)
        let isStopping = Locked(false)
        let server = try RunningServer({ $0.shutdownGrace = .seconds(3) }) { request in
            inside.withLock { $0 += 1 }
            while !Task.isCancelled, request.path == "/long" || !isStopping.withLock({ $0 }) {
                await pause(milliseconds: 5)
            }
            if Task.isCancelled { wasCancelled.withLock { $0 = true } }
            return .text("done")
        }
        let (short, long) = (try server.client(), try server.client())
        try short.send(FastCGIRecord.request("GET", "/short"))
        try long.send(FastCGIRecord.request("GET", "/long"))
        #expect(eventually { inside.withLock { $0 } == 2 })
        server.server.shutdown()
        isStopping.withLock { $0 = true }
        #expect(try short.reply().text == "done")
        #expect(try long.reply().isCut)
        #expect(eventually { wasCancelled.withLock { $0 } })
        #expect(server.stop(within: .seconds(5)))
    }

    @Test("handlers that end at once, fail, are cut or are left by their clients: all is given back")
    func mixture() throws {
        let server = try RunningServer({ $0.handlerTimeout = .milliseconds(500) }) { request in
            switch request.path {
            case "/throws": throw CancellationError()
            case "/long": try await Task.sleep(for: .seconds(60))
            case "/short": await pause(milliseconds: 3)
            default: break
            }
            return .text(request.path)
        }
        for round in 0..<12 {
            let clients = try (0..<8).map { _ in try server.client() }
            let paths = ["/now", "/throws", "/long", "/short", "/short", "/now", "/long", "/short"]
            for (client, path) in zip(clients, paths) { try client.send(FastCGIRecord.request("GET", path)) }
            for (index, client) in clients.enumerated() {
                if (index + round) % 3 == 0 {
                    client.abort()
                } else if paths[index] == "/long" {
                    #expect(try client.reply().isCut)
                } else {
                    #expect(try client.reply().status == (paths[index] == "/throws" ? 500 : 200))
                }
            }
        }
        #expect(eventually { server.server.statistics.openConnections == 0 })
        #expect(try server.client().exchange("GET", "/now").text == "/now")
    }
}

@Suite("Sync handlers")
struct SyncHandlerTests {
    @Test("can ask whether anybody waits for their answer")
    func isCancelled() throws {
        let seen = Locked<[Bool]>([])
        let server = try RunningServer { request in
            if request.path == "/watches" {
                seen.withLock { $0.append(request.isCancelled) }
                let after = eventually(within: 20) { request.isCancelled }
                seen.withLock { $0.append(after) }
            }
            return .text("\(request.isCancelled)")
        }
        #expect(try server.client().exchange("GET", "/").text == "false")
        let client = try server.client()
        try client.send(FastCGIRecord.request("GET", "/watches"))
        #expect(eventually { seen.withLock { $0 } == [false] })
        client.abort()
        #expect(eventually { seen.withLock { $0 } == [false, true] })
        #expect(try server.client().exchange("GET", "/").text == "false")
    }
}

/// The calling thread's name.
private func threadName() -> String {
    (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8))?.filter { $0 != "\n" } ?? ""
}
