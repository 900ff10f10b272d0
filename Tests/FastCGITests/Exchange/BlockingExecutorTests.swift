import FastCGI
import GalletaPlatform
import Glibc
import TestSupport
import Testing

// The clients here wait on threads of their own: a handler that sleeps is woken through the cooperative pool, which must
// not be full of waiting tests.

@Suite("Async code inside a sync handler")
struct BlockingExecutorTests {
    @Test("it runs on the worker's thread and may suspend")
    func suspends() async throws {
        let server = try RunningServer { request in
            let before = pthread_self()
            return try request.runOnWorker {
                let during = pthread_self()
                await Task.yield()
                try await Task.sleep(for: .milliseconds(5))
                let after = pthread_self()
                return .text("\(before == during) \(during == after)")
            }
        }
        let texts = try await onThread {
            let client = try server.client()
            return try (0..<3).map { _ in try client.exchange().text }
        }
        #expect(texts == ["true true", "true true", "true true"])
    }

    @Test("child tasks, actors and errors come through")
    func structured() async throws {
        actor Sum {
            var value = 0
            func add(_ number: Int) { value += number }
        }
        let server = try RunningServer { request in
            try request.runOnWorker {
                let sum = Sum()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 1...100 { group.addTask { await sum.add(number) } }
                    try await group.waitForAll()
                }
                if request.path == "/throws" { throw CancellationError() }
                return .text("\(await sum.value)")
            }
        }
        let texts = try await onThread {
            let client = try server.client()
            return try ["/", "/throws", "/"].map { try client.exchange("GET", $0).text }
        }
        #expect(texts == ["5050", "500 Internal Server Error\n", "5050"])
    }

    @Test("past the request's deadline its task is cancelled")
    func cancelled() async throws {
        let wasCancelled = Locked(false)
        let server = try RunningServer({ $0.handlerTimeout = .milliseconds(200) }) { request in
            try request.runOnWorker {
                do {
                    try await Task.sleep(for: .seconds(60))
                } catch {
                    wasCancelled.withLock { $0 = true }
                }
                return .text("late")
            }
        }
        let (isCut, cancelled) = try await onThread {
            let client = try server.client()
            try client.send(FastCGIRecord.request())
            return (try client.reply().isCut, eventually { wasCancelled.withLock { $0 } })
        }
        #expect(isCut)
        #expect(cancelled)
    }
}
