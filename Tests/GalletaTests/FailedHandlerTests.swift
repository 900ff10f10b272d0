import Galleta
import GalletaTesting
import MemorySessions
import TestSupport
import Testing

/// What a handler does to the session before it throws, against whoever makes the page of the error.
@Suite("A handler that throws")
struct FailedHandlerTests {
    struct Failure: Error {}

    /// Who makes the page.
    enum Maker: CaseIterable {
        case library
        case onError
        /// A step puts a page of its own in the place of the error's.
        case step
        /// As `step`, and it uses the session further.
        case steps
        /// A step that drops the changes once more, by hand.
        case discardingStep
    }

    enum Act: String, CaseIterable {
        case set, delete, setFlash, setLifetime, logIn, logInAndSet, rotate, destroy, destroyAndSet, update, save,
            popFlash

        func callAsFunction(_ session: Session) throws {
            switch self {
            case .set: try session.set("n", 2)
            case .delete: try session.delete("n")
            case .setFlash: try session.setFlash("new", "x")
            case .setLifetime: try session.setLifetime(idleTimeout: .seconds(5))
            case .logIn: try session.logIn(user: "ada")
            case .logInAndSet:
                try session.logIn(user: "ada")
                try session.set("n", 2)
            case .rotate: try session.rotate()
            case .destroy: try session.destroy()
            case .destroyAndSet:
                try session.destroy()
                try session.set("n", 2)
            case .update: try session.update("n", default: 0) { $0 += 10 }
            case .save:
                try session.set("n", 3)
                try session.save()
                try session.set("n", 4)
            case .popFlash: _ = try session.popFlash("old", as: String.self)
            }
        }
    }

    private func application(_ maker: Maker, provider: MemoryProvider) throws -> TestClient {
        try testClient(provider: provider) { app in
            switch maker {
            case .library: break
            case .onError: app.onError { error, _ in error is Failure ? .text("sorry") : nil }
            case .step, .steps, .discardingStep:
                app.use { request, session, next in
                    let response = next(request, session)
                    guard response.status == .internalServerError else { return response }
                    switch maker {
                    case .steps: return .text("sorry \(try Self.state(session))")
                    case .discardingStep: _ = session.discard()
                    default: break
                    }
                    return .text("sorry")
                }
                // Two deep: what the inner one passes on is what the outer one sees.
                app.use { request, session, next in next(request, session) }
            }
            app.get("/begin") { _, session in
                try session.set("n", 1)
                try session.setFlash("old", "x")
                return "begun"
            }
            app.post("/:act") { request, session in
                try Act(rawValue: request.pathParameters["act"] ?? "")?(session)
                throw Failure()
            }
            app.get("/state") { _, session in .text(try Self.state(session)) }
        }
    }

    private static func state(_ session: Session) throws -> String {
        let n = try session.get("n", as: Int.self).map(String.init) ?? "-"
        return "n=\(n) user=\(try session.user ?? "-") long=\(try session.remaining > .seconds(60))"
    }

    @Test("changes nothing in a session but what acts at once", arguments: Maker.allCases, Act.allCases)
    func changesNothing(maker: Maker, act: Act) throws {
        let client = try application(maker, provider: MemoryProvider())
        _ = try client.get("/begin")
        let begun = try #require(client.cookie("sid"))
        let failed = try client.post("/\(act)")
        #expect(failed.status == (maker == .library ? 500 : 200))
        switch act {
        case .logIn, .logInAndSet, .rotate:
            // The new id stands, and the visitor gets it.
            let new = try #require(client.cookie("sid"))
            #expect(failed.headers[.setCookie] != nil && new != begun)
        case .destroy, .destroyAndSet:
            #expect(failed.headers[.setCookie]?.contains("Max-Age=0") == true)
            client.setCookie("sid", begun)
        default:
            #expect(failed.headers[.setCookie] == nil)
        }
        if act == .logIn {
            let other = client.another()
            other.setCookie("sid", begun)
            #expect(try other.get("/state").text.hasPrefix("n=- "))
        }
        let n =
            switch act {
            case .destroy, .destroyAndSet: "-"
            case .update: "11"
            case .save: "3"
            default: "1"
            }
        let expected = "n=\(n) user=- long=true"
        #expect(try client.get("/state").text == expected)
        // A page that the step makes of the session shows the same.
        if maker == .steps { #expect(failed.text == "sorry " + expected) }
    }

    @Test("begins no session", arguments: Maker.allCases, [Act.set, .setFlash, .logIn, .logInAndSet, .update])
    func beginsNothing(maker: Maker, act: Act) throws {
        let provider = try MemoryProvider()
        let failed = try application(maker, provider: provider).post("/\(act)")
        #expect(failed.headers[.setCookie] == nil)
        #expect(provider.count() == 0)
    }

    @Test("logs nobody in, even where it would have ended another user's session: that has ended")
    func logInAsAnother() throws {
        let provider = try MemoryProvider()
        let client = try testClient(provider: provider) { app in
            app.use { request, session, next in next(request, session) }
            app.get("/bob") { _, session in
                try session.logIn(user: "bob")
                return "bob"
            }
            app.get("/ada") { _, session in
                try session.logIn(user: "ada")
                throw Failure()
            }
        }
        _ = try client.get("/bob")
        let failed = try client.get("/ada")
        #expect(failed.status == 500 && failed.headers[.setCookie]?.contains("Max-Age=0") == true)
        #expect(provider.count() == 0)
    }

    @Test("that is asynchronous is rolled back like any other")
    func asynchronous() throws {
        let client = try testClient { app in
            app.get("/begin") { _, session in
                try session.set("n", 1)
                return ""
            }
            app.get("/fail") { _, session in
                await Task.yield()
                try session.set("n", 2)
                throw Failure()
            }
            app.get("/state") { _, session in "\(try session.get("n", as: Int.self) ?? 0)" }
        }
        _ = try client.get("/begin")
        #expect(try client.get("/fail").status == 500)
        #expect(try client.get("/state").text == "1")
    }

    @Test("leaves no flash message for the next page, and a message that it took is gone")
    func flash() throws {
        let provider = try MemoryProvider()
        let client = try testClient(provider: provider) { app in
            app.use { request, session, next in next(request, session) }
            app.get("/begin") { _, session in
                try session.set("n", 1)
                try session.setFlash("old", "x")
                return ""
            }
            app.get("/fail") { _, session in
                _ = try session.popFlash("old", as: String.self)
                try session.setFlash("new", "x")
                throw Failure()
            }
            app.get("/next") { _, session in
                "\(try session.popFlash("old", as: String.self) ?? "-")\(try session.popFlash("new", as: String.self) ?? "-")"
            }
        }
        _ = try client.get("/begin")
        #expect(try client.get("/fail").status == 500)
        #expect(try client.get("/next").text == "--")
    }

    @Test("does not keep a step from changing the session afterwards")
    func stepsOwnChanges() throws {
        let client = try testClient { app in
            app.use { request, session, next in
                let response = next(request, session)
                if response.status == .internalServerError {
                    try session.set("failures", (try session.get("failures", as: Int.self) ?? 0) + 1)
                }
                return response
            }
            app.get("/fail") { _, session in
                try session.set("failures", 100)
                try session.set("other", 1)
                throw Failure()
            }
            app.get("/state") { _, session in "\(try session.keys) \(try session.get("failures", as: Int.self) ?? 0)" }
        }
        _ = try client.get("/fail")
        #expect(try client.get("/fail").headers[.setCookie] == nil)
        #expect(try client.get("/state").text == "[\"failures\"] 2")
    }
}
