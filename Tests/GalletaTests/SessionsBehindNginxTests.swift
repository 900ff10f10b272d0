import Foundation
import Galleta
import MemorySessions
import TestSupport
import Testing

@Suite("Parallel requests of one visitor, through nginx", .serialized)
struct SessionsBehindNginxTests {
    /// The answers to `count` requests at once, each on a connection of its own.
    private func atOnce(
        _ count: Int, _ nginx: Nginx, _ request: @escaping @Sendable (HTTPClient, Int) throws -> HTTPReply
    ) throws -> [HTTPReply] {
        let replies = Replies(count)
        let group = DispatchGroup()
        for number in 0..<count {
            group.enter()
            Thread {
                defer { group.leave() }
                replies.put(Result { try request(try nginx.client(), number) }, at: number)
            }.start()
        }
        group.wait()
        return try replies.all()
    }

    @Test("a log-out during a slow request is not undone, and the slow answer sets no cookie")
    func logOut() throws {
        let isInside = Rendezvous(2)
        let mayLeave = Rendezvous(2)
        let app = try RunningApplication(mount: "/app", workers: 4) { app in
            app.post("/login") { _, session in
                try session.logIn(user: "ada")
                return "in"
            }
            app.post("/logout") { _, session in
                try session.destroy()
                return "out"
            }
            app.get("/whoami") { _, session in "\(try session.user ?? "nobody")" }
            app.get("/slow") { _, session in
                try session.set("seen", true)
                isInside.meet()
                mayLeave.meet()
                try session.set("late", true)
                return "slow"
            }
        }
        let nginx = try Nginx(socket: app.socket)
        let cookie = try #require(try nginx.client().request("POST", "/app/login").cookie)
        let header = ["Cookie: \(cookie)"]
        #expect(try nginx.client().get("/app/whoami", header).text == "ada")

        let slow = Replies(1)
        let thread = Thread { slow.put(Result { try nginx.client().get("/app/slow", header) }, at: 0) }
        thread.start()
        #expect(isInside.meet())
        let out = try nginx.client().request("POST", "/app/logout", header)
        #expect(out["Set-Cookie"]?.contains("Max-Age=0") == true)
        mayLeave.meet()
        #expect(eventually { slow.isComplete })
        let late = try #require(try slow.all().first)
        #expect(late.text == "slow")
        #expect(late["Set-Cookie"] == nil)
        #expect(try nginx.client().get("/app/whoami", header).text == "nobody")
    }

    @Test("ten rotations at once give one successor, and latecomers with the old id are led to it")
    func rotations() throws {
        let meeting = Rendezvous(10)
        let app = try RunningApplication(mount: "/app", workers: 10) { app in
            app.get("/begin") { _, session in
                try session.set("k", "kept")
                return "begun"
            }
            app.get("/rotate") { _, session in
                _ = try session.keys
                meeting.meet()
                try session.rotate()
                return "rotated"
            }
            app.get("/value") { _, session in .text(try session.get("k", as: String.self) ?? "none") }
        }
        let nginx = try Nginx(socket: app.socket)
        let old = try #require(try nginx.client().get("/app/begin").cookie)
        let replies = try atOnce(10, nginx) { client, _ in try client.get("/app/rotate", ["Cookie: \(old)"]) }
        let successors = Set(replies.map(\.cookie))
        #expect(replies.allSatisfy { $0.status == 200 })
        #expect(successors.count == 1)
        let successor = try #require(successors.first ?? nil)
        #expect(successor != old)
        let latecomer = try nginx.client().get("/app/value", ["Cookie: \(old)"])
        #expect(latecomer.text == "kept")
        #expect(latecomer.cookie == successor)
        #expect(try nginx.client().get("/app/value", ["Cookie: \(successor)"]).text == "kept")
    }

    @Test("eight reads of a flash value at once give it once")
    func flash() throws {
        let meeting = Rendezvous(8)
        let app = try RunningApplication(mount: "/app", workers: 8) { app in
            app.get("/leave") { _, session in
                try session.setFlash("notice", "saved")
                return "left"
            }
            app.get("/take") { _, session in
                _ = try session.keys
                meeting.meet()
                return .text(try session.popFlash("notice", as: String.self) ?? "nothing")
            }
        }
        let nginx = try Nginx(socket: app.socket)
        let cookie = try #require(try nginx.client().get("/app/leave").cookie)
        let texts = try atOnce(8, nginx) { client, _ in try client.get("/app/take", ["Cookie: \(cookie)"]) }.map(\.text)
        #expect(texts.filter { $0 == "saved" }.count == 1, "\(texts)")
        #expect(texts.filter { $0 == "nothing" }.count == 7)
    }

    @Test("parallel writes of different keys are all kept")
    func differentKeys() throws {
        let meeting = Rendezvous(16)
        let app = try RunningApplication(mount: "/app", workers: 16) { app in
            app.get("/set/:key") { request, session in
                let key = request.pathParameters["key"] ?? ""
                try session.set(ByteString(key), key)
                if key != "first" { meeting.meet() }
                return "set"
            }
            app.get("/keys") { _, session in .text(try session.keys.sorted().map(\.string).joined(separator: " ")) }
        }
        let nginx = try Nginx(socket: app.socket)
        let cookie = try #require(try nginx.client().get("/app/set/first").cookie)
        _ = try atOnce(16, nginx) { client, number in
            try client.get("/app/set/k\(number)", ["Cookie: \(cookie)"])
        }
        let wanted = (["first"] + (0..<16).map { "k\($0)" }).sorted().joined(separator: " ")
        #expect(try nginx.client().get("/app/keys", ["Cookie: \(cookie)"]).text == wanted)
    }

    @Test("a network that begins too many sessions gets 429 with Retry-After, and a visitor with a session does not")
    func newSessionLimit() throws {
        let app = try RunningApplication(
            mount: "/app", adjust: { $0.newSessionLimit = NewSessionLimit(3, per: .seconds(3_600)) }
        ) { app in
            app.get("/write") { _, session in
                try session.update("n", default: 0) { (count: inout Int) in count += 1 }
                return "written"
            }
        }
        let nginx = try Nginx(socket: app.socket)
        let client = try nginx.client()
        let cookies = try (0..<3).map { _ in try client.get("/app/write").cookie }
        let refused = try client.get("/app/write")
        #expect(refused.status == 429)
        #expect(Int(refused["Retry-After"] ?? "") ?? 0 > 0)
        #expect(refused["Set-Cookie"] == nil)
        #expect(refused["Cache-Control"] == "no-store")
        let cookie = try #require(cookies[0])
        #expect(try client.get("/app/write", ["Cookie: \(cookie)"]).status == 200)
    }

    @Test("a route that does not touch leaves the session's end where it was")
    func untouched() throws {
        let app = try RunningApplication(mount: "/app", adjust: { $0.touchInterval = .zero }) { app in
            app.get("/write") { _, session in
                try session.set("n", 1)
                return "written"
            }
            app.get("/poll", touchesSession: false) { _, session in "\(try session.get("n", as: Int.self) ?? 0)" }
            app.get("/page") { _, session in "\(try session.get("n", as: Int.self) ?? 0)" }
        }
        let nginx = try Nginx(socket: app.socket)
        let client = try nginx.client()
        let cookie = try #require(try client.get("/app/write").cookie)
        // A touch renews the cookie in the same breath.
        #expect(try client.get("/app/poll", ["Cookie: \(cookie)"])["Set-Cookie"] == nil)
        #expect(try client.get("/app/page", ["Cookie: \(cookie)"])["Set-Cookie"] != nil)
    }
}

/// Answers, put down by several threads.
private final class Replies: Sendable {
    private let lock = NSLock()
    private nonisolated(unsafe) var replies: [Result<HTTPReply, any Error>?]

    init(_ count: Int) {
        replies = Array(repeating: nil, count: count)
    }

    func put(_ reply: Result<HTTPReply, any Error>, at place: Int) {
        lock.withLock { replies[place] = reply }
    }

    var isComplete: Bool { lock.withLock { replies.allSatisfy { $0 != nil } } }

    func all() throws -> [HTTPReply] {
        try lock.withLock { try replies.map { try $0!.get() } }
    }
}
