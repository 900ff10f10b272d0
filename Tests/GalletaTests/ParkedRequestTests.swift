import Galleta
import GalletaPlatform
import HTTPTypes
import MemorySessions
import TestSupport
import Testing

@Suite("Requests whose session store is awaited")
struct ParkedRequestTests {
    private let provider: ParkedProvider

    init() throws {
        provider = ParkedProvider(try MemoryProvider())
    }

    private func application(
        workers: Int = 2, timeout: Duration = .seconds(60), _ build: (Application) -> Void = { _ in }
    ) throws -> RunningApplication {
        try RunningApplication(provider: provider, workers: workers, server: { $0.handlerTimeout = timeout }) { app in
            app.get("/plain") { _, _ in "plain" }
            app.get("/set") { _, session in
                let count = (try session.get("n", as: Int.self) ?? 0) + 1
                try session.set("n", count)
                return "\(count)"
            }
            app.on(.get, "/count") { _, session in
                "\(try session.update("n", default: 0) { $0 += 1; return $0 })"
            } async: { _, session in
                "\(try await session.update("n", default: 0) { $0 += 1; return $0 })"
            }
            app.get("/maybe") { request, session in
                request.query.isEmpty ? "unused" : "\(try session.get("n", as: Int.self) ?? 0)"
            }
            build(app)
        }
    }

    private func cookie(_ reply: FastCGIReply) throws -> (String, String) {
        ("HTTP_COOKIE", try #require(reply["Set-Cookie"]?.split(separator: ";").first.map(String.init)))
    }

    /// A visitor of whom the routes have learnt that they use sessions.
    private func visitor(_ application: RunningApplication, _ paths: [String] = ["/set"]) throws -> (String, String) {
        let client = try application.client()
        let cookie = try cookie(client.exchange("GET", paths[0]))
        for path in paths { _ = try client.exchange("GET", path, [cookie]) }
        _ = provider.takeCalls()
        return cookie
    }

    @Test("hold no worker while the store holds them up: all else is answered, by one worker, too", arguments: [1, 2])
    func heldUp(workers: Int) throws {
        let application = try application(workers: workers)
        let cookie = try visitor(application)
        provider.hold()
        let clients = try (0..<50).map { _ in try application.client() }
        for client in clients { try client.send(FastCGIRecord.request("GET", "/set", [cookie])) }
        #expect(eventually { provider.heldCount == 50 })
        let other = try application.client()
        for _ in 0..<100 { #expect(try other.exchange("GET", "/plain").text == "plain") }
        #expect(provider.heldCount == 50)
        provider.release()
        for client in clients { #expect(try client.reply().status == 200) }
        #expect(provider.takeCalls().allSatisfy { $0.hasPrefix("await") })
    }

    @Test("are awaited in their commit, too, behind steps that have both forms", arguments: [false, true])
    func commits(hasSteps: Bool) throws {
        let application = try application { app in
            guard hasSteps else { return }
            app.use {
                $2($0, $1)
            } async: {
                await $2($0, $1)
            }
        }
        let cookie = try visitor(application, ["/set", "/count"])
        let client = try application.client()
        #expect(try client.exchange("GET", "/set", [cookie]).text == "4")
        #expect(provider.takeCalls() == ["await look up", "await commit"])
        #expect(try client.exchange("GET", "/count", [cookie]).text == "5")
        #expect(provider.takeCalls() == ["await look up", "await commit"])
        #expect(try client.exchange("GET", "/set").text == "1")
        #expect(provider.takeCalls() == ["await create"])
    }

    @Test("behind a step that is only sync the look-up is awaited, and what it sees is in the store")
    func syncStep() throws {
        let application = try application { app in
            app.use { request, session, next in
                var answer = next(request, session)
                answer.headers[HTTPField.Name("X-Calls")!] = provider.takeCalls().joined(separator: ", ")
                return answer
            }
        }
        let cookie = try visitor(application)
        let reply = try application.client().exchange("GET", "/set", [cookie])
        #expect(reply.text == "3" && reply["X-Calls"] == "await look up, commit")
    }

    @Test("tell the store by their method that they may change the session, but not for a check before the body")
    func mayChange() throws {
        let application = try application { app in
            app.post("/large", steps: [.requireUser()], maxBodyBytes: 1 << 20) { request, session in
                "\(try request.body.collect().count) \(try session.get("n", as: Int.self) ?? 0)"
            }
            app.get("/login") { _, session in
                try session.logIn(user: "ada")
                return ""
            }
        }
        let client = try application.client()
        let cookie = try cookie(client.exchange("GET", "/login"))
        _ = provider.takeCalls()
        let body = [UInt8](repeating: 7, count: 200_000)
        for _ in 0..<2 {
            let reply = try client.exchange("POST", "/large", body: body, [cookie])
            #expect(reply.text == "200000 0", "\(reply.status)")
        }
        let calls = ["look up at once", "look up to change", "look up at once", "await look up to change"]
        #expect(provider.takeCalls() == calls)
        // A head that finds others in the session says nothing against its request.
        provider.setTaken(true)
        #expect(try client.exchange("POST", "/large", body: body, [cookie]).text == "200000 0")
        #expect(provider.takeCalls() == ["look up at once", "await look up to change"])
        #expect(try client.exchange("GET", "/set", [cookie]).text == "1")
        #expect(provider.takeCalls().allSatisfy { !$0.hasSuffix("to change") })
    }

    @Test("one at a time is answered on its worker where the store has nothing to do")
    func idle() throws {
        provider.setBusy(false)
        let application = try application()
        let cookie = try visitor(application, ["/count"])
        let client = try application.client()
        #expect(try client.exchange("GET", "/count", [cookie]).text == "3")
        #expect(provider.takeCalls() == ["look up", "commit"])
    }

    @Test("a route that does not use its session is looked up for none; one that sometimes does, is for a while")
    func learnt() throws {
        let application = try application()
        let cookie = try visitor(application)
        let client = try application.client()
        #expect(try client.exchange("GET", "/maybe", [cookie]).text == "unused")
        #expect(provider.takeCalls() == [])
        #expect(try client.exchange("GET", "/maybe?use=1", [cookie]).text == "2")
        #expect(provider.takeCalls() == ["look up"])
        #expect(try client.exchange("GET", "/maybe?use=1", [cookie]).text == "2")
        #expect(provider.takeCalls() == ["await look up"])
        for _ in 0..<40 { #expect(try client.exchange("GET", "/maybe", [cookie]).text == "unused") }
        let calls = provider.takeCalls()
        #expect(!calls.isEmpty && calls.count < 40 && calls.allSatisfy { $0 == "await look up" })
    }

    @Test("where others may have a session for long, the first requests of a route wait for it without a worker, too")
    func unknownRoute() throws {
        provider.setLocked(true)
        let application = try application()
        let client = try application.client()
        let cookie = try cookie(client.exchange("GET", "/count"))
        _ = provider.takeCalls()
        #expect(try client.exchange("GET", "/set", [cookie]).status == 200)
        #expect(provider.takeCalls().first == "await look up")
    }

    @Test("tell the store when they are cut, though their handler runs on")
    func cut() throws {
        provider.setLocked(true)
        let gate = Locked(false)
        let application = try application(timeout: .seconds(1)) { app in
            app.post("/stuck") { _, session in
                _ = try session.get("n", as: Int.self)
                _ = eventually(within: 60) { gate.withLock { $0 } }
                return ""
            }
        }
        let cookie = try visitor(application)
        #expect(try application.client().exchange("POST", "/stuck", [cookie]).isCut)
        #expect(eventually { provider.takeCalls().contains("cut") })
        gate.withLock { $0 = true }
    }

    @Test("a store that is down is 503 with Retry-After and no cookie, and nothing to a request that needs it not")
    func down() throws {
        let application = try application()
        let cookie = try visitor(application, ["/set", "/count", "/maybe?use=1"])
        provider.setDown(true)
        let client = try application.client()
        for _ in 0..<3 {
            for path in ["/set", "/count", "/maybe?use=1"] {
                let reply = try client.exchange("GET", path, [cookie])
                #expect(reply.status == 503 && reply["Retry-After"] != nil && reply["Set-Cookie"] == nil, "\(path)")
            }
            let unused = try client.exchange("GET", "/maybe", [cookie])
            #expect(unused.status == 200 && unused.text == "unused")
        }
        provider.setDown(false)
        #expect(try client.exchange("GET", "/set", [cookie]).text == "4")
    }

    @Test("a store that fails under the commit is 503, and the session as it was")
    func failingCommit() throws {
        let application = try application { app in
            app.get("/breaks") { [provider] _, session in
                try session.set("n", 99)
                provider.setDown(true)
                return "set"
            }
        }
        let cookie = try visitor(application, ["/set"])
        let client = try application.client()
        for _ in 0..<2 {
            let reply = try client.exchange("GET", "/breaks", [cookie])
            #expect(reply.status == 503 && reply["Retry-After"] != nil && reply["Set-Cookie"] == nil)
            provider.setDown(false)
        }
        #expect(try client.exchange("GET", "/set", [cookie]).text == "3")
    }

    @Test("are answered when the server stops meanwhile")
    func shutdown() throws {
        let application = try application()
        let cookie = try visitor(application)
        provider.hold()
        let clients = try (0..<20).map { _ in try application.client() }
        for client in clients { try client.send(FastCGIRecord.request("GET", "/set", [cookie])) }
        #expect(eventually { provider.heldCount == 20 })
        application.shutdown()
        #expect(provider.heldCount == 20)
        provider.release()
        for client in clients { #expect(try client.reply().status == 200) }
        #expect(application.hasStopped(within: .seconds(20)))
    }

    @Test("whose client has gone are carried to their end")
    func clientGone() throws {
        let application = try application()
        let cookie = try visitor(application)
        provider.hold()
        let client = try application.client()
        try client.send(FastCGIRecord.request("GET", "/set", [cookie]))
        #expect(eventually { provider.heldCount == 1 })
        client.abort()
        provider.release()
        #expect(eventually { provider.takeCalls().contains("await commit") })
        #expect(try application.client().exchange("GET", "/set", [cookie]).text == "4")
    }

    @Test("of one visitor at once lose no update", arguments: [false, true])
    func updates(isBusy: Bool) throws {
        provider.setBusy(isBusy)
        let application = try application()
        let cookie = try visitor(application, ["/count"])
        let threads = try (0..<8).map { _ in
            try SystemThread(name: "visitor") {
                guard let client = try? application.client() else { return }
                for _ in 0..<50 { _ = try? client.exchange("GET", "/count", [cookie]) }
            }
        }
        for thread in threads { #expect(thread.join(timeout: .seconds(60))) }
        #expect(try application.client().exchange("GET", "/count", [cookie]).text == "403")
    }
}
