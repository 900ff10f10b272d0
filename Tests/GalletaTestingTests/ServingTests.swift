import Dispatch
import Foundation
import GalletaTesting
import Testing

@Suite("An application in a test")
struct ServingTests {
    @Test("answers a handler that suspends, on a test's actor and off it")
    func suspends() async throws {
        actor Stock {
            private var figs = 0
            func take() async -> Int {
                await Task.yield()
                figs += 1
                return figs
            }
        }
        let app = try Application.testing()
        let stock = Stock()
        app.get("/") { _, _ in
            // On the pool that the tests run on, too.
            let detached = await Task.detached { await stock.take() }.value
            try await Task.sleep(for: .milliseconds(1))
            return "\(await stock.take() - detached)"
        }
        try await app.test { client in
            // The pool is others' tests, too.
            client.timeout = .seconds(60)
            let texts = try await withThrowingTaskGroup(of: TestReply.self) { group in
                for _ in 0..<20 { group.addTask { try await client.get("/") } }
                return try await group.reduce(into: 0) { $0 += $1.status == .ok ? 1 : 0 }
            }
            #expect(texts == 20)
        }
    }

    @MainActor
    @Test("is tested on the main actor")
    func onTheMainActor() async throws {
        let app = try Application.testing()
        app.get("/") { _, _ in .text(await MainActor.run { "main" }) }
        var texts: [String] = []
        try await app.test { client in texts.append(try await client.get("/").text) }
        #expect(texts == ["main"])
    }

    @Test("serves several clients at once, each with its own session")
    func concurrentClients() async throws {
        let app = try Application.testing()
        app.get("/") { _, session in "\(try session.update("n", default: 0) { $0 += 1; return $0 })" }
        try await app.test { client in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    let own = client.another()
                    group.addTask {
                        for visit in 1...50 where try await own.get("/").text != "\(visit)" { return false }
                        return true
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
            // Threads of one client, too: one session, and no visit is lost.
            _ = try await client.get("/")
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                for _ in 0..<25 { _ = try? { try client.get("/") }() }
            }
            #expect(try await client.get("/").text == "102")
        }
    }

    @Test("says so when a handler blocks, and when it still does at the end of the test")
    func blocks() throws {
        let app = try Application.testing()
        let release = DispatchSemaphore(value: 0)
        app.get("/blocks") { _, _ in
            release.wait()
            return "late"
        }
        app.get("/fine") { _, _ in "fine" }
        // Released in time for the end of the test.
        try app.test { client in
            client.timeout = .milliseconds(20)
            let error = try #require(throws: TestClientError.self) { try client.get("/blocks") }
            #expect(error.isTimeout && "\(error)".contains("GET /blocks") && "\(error)".contains("timeout"))
            client.timeout = .seconds(10)
            #expect(try client.get("/fine").text == "fine")
            release.signal()
        }
        let error = try #require(throws: TestClientError.self) {
            try app.test { client in
                client.timeout = .milliseconds(20)
                _ = try? client.get("/blocks")
            }
        }
        #expect("\(error)".contains("have not returned"))
        release.signal()
    }

    @Test("lets a cancelled test go at once, before there is an answer")
    func cancelled() async throws {
        let app = try Application.testing()
        let (begun, begin) = AsyncStream<Void>.makeStream()
        app.get("/waits") { request, _ async throws in
            begin.yield()
            // Until the client has gone.
            try await Task.sleep(for: .seconds(3_600))
            return ""
        }
        try await app.test { client async throws in
            client.timeout = .seconds(3_600)
            for isStream in [false, true] {
                let waiting = Task {
                    let request = TestRequest(.get, "/waits")
                    if isStream { _ = try await client.open(request) } else { _ = try await client.send(request) }
                }
                _ = await begun.first { true }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
            }
        }
    }

    @Test("cuts a handler past its deadline, and the error says so")
    func pastDeadline() throws {
        var configuration = Server.Configuration()
        configuration.handlerTimeout = .milliseconds(20)
        let app = try Application.testing(configuration: configuration)
        let release = DispatchSemaphore(value: 0)
        app.get("/") { _, _ in
            release.wait()
            return ""
        }
        try app.test { client in
            let error = try #require(throws: TestClientError.self) { try client.get("/") }
            #expect(error.isCutShort && error.errors.contains { $0.contains("handlerTimeout") })
            release.signal()
        }
    }

    @Test("runs its steps, its admission and its pages of errors")
    func wholeWay() throws {
        let app = try Application.testing()
        app.admit { request in
            request.path == "/closed" ? .answer(.text("closed", status: .forbidden)) : .body(limit: nil)
        }
        app.use { request, session, next in
            var response = next(request, session)
            response.headers.append(HTTPField.Name("X-Step")!, "\(response.status.code)")
            return response
        }
        app.onError { error, _ in (error as? HTTPError)?.status == .notFound ? .text("no page", status: .notFound) : nil
        }
        try app.test { client in
            #expect(try client.post("/closed", content: .text("x")).text == "closed")
            let reply = try client.get("/nowhere")
            #expect(reply.text == "no page" && reply.headers[HTTPField.Name("X-Step")!] == "404")
        }
    }

    @Test("runs its hooks before and after, and tells its handlers what it has done")
    func hooks() throws {
        final class Steps: @unchecked Sendable {
            private let lock = NSLock()
            private var names: [String] = []
            func add(_ name: String) { lock.withLock { names.append(name) } }
            var all: [String] { lock.withLock { names } }
        }
        struct Failure: Error {}
        let steps = Steps()
        let app = try Application.testing()
        let control = app.control
        app.onStart {
            await Task.yield()
            steps.add("start")
        }
        app.onShutdown { steps.add("shutdown") }
        app.get("/") { _, _ in
            steps.add("request")
            return "\(control.statistics.requests)"
        }
        try app.test { client throws in #expect(try client.get("/").text == "1") }
        #expect(steps.all == ["start", "request", "shutdown"])
        app.onStart { throw Failure() }
        #expect(throws: Failure.self) { try app.test { _ in } }
        #expect(steps.all == ["start", "request", "shutdown", "start", "shutdown"])
    }

    @Test("keeps its sessions from one test to the next, and can be given another provider")
    func again() throws {
        let app = try Application.testing()
        app.get("/") { _, session in "\(try session.update("n", default: 0) { $0 += 1; return $0 })" }
        let cookie = try app.test { client in
            _ = try client.get("/")
            return try #require(client.cookie("sid"))
        }
        let client = try app.testClient()
        client.setCookie("sid", cookie)
        #expect(try client.get("/").text == "2")
    }

    @Test("has ended with its test: a client that is kept says so")
    func ended() throws {
        let app = try Application.testing()
        let client = try app.test { $0 }
        let error = try #require(throws: TestClientError.self) { try client.get("/") }
        #expect("\(error)".contains("is over"))
    }

    @Test("leaves no thread behind")
    func threads() throws {
        final class Threads: @unchecked Sendable {
            private let lock = NSLock()
            private var paths: Set<String> = []
            func note() {
                let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
                _ = lock.withLock { paths.insert("/proc/" + (path ?? "")) }
            }
            var all: Set<String> { lock.withLock { paths } }
        }
        let threads = Threads()
        let app = try Application.testing()
        app.get("/") { _, _ in
            threads.note()
            return ""
        }
        try app.test { client in for _ in 0..<10 { _ = try client.get("/") } }
        let client = try app.testClient()
        _ = try client.get("/")
        #expect(!threads.all.isEmpty && client.cookies.isEmpty)
        try app.test { client in _ = try client.get("/") }
        let isOurs = { (path: String) in
            let name = try? String(contentsOfFile: path + "/comm", encoding: .utf8)
            return name?.hasPrefix("fcgi") == true
        }
        // The kernel may take a moment over a thread that has ended.
        let deadline = Date(timeIntervalSinceNow: 10)
        let gone = { threads.all.filter(isOurs).count <= 1 }
        while !gone(), Date() < deadline { usleep(1000) }
        #expect(gone())
    }

    @Test("refuses a configuration that no server could run with")
    func badConfiguration() throws {
        var configuration = Server.Configuration()
        configuration.workers = 0
        let app = try Application.testing(configuration: configuration)
        #expect(throws: ConfigurationError.self) { try app.test { _ in } }
        #expect(throws: ConfigurationError.self) { try app.testClient() }
    }
}
