import FastCGI
import GalletaPlatform
import Glibc
import TestSupport
import Testing

@Suite("Requests that follow each other without waiting")
struct PipeliningTests {
    private static let echo: Server.Handler = { request in
        .text("\(request.path) \(request.path == "/unread" ? 0 : try request.body.collect().count)")
    }

    private static let forged = FastCGIRecord.request("GET", "/internal/admin", [("REMOTE_USER", "admin")])

    @Test("several in one write are answered in order", arguments: [2, 3, 50])
    func oneWrite(count: Int) throws {
        let server = try RunningServer(handler: Self.echo)
        let client = try server.client()
        try client.send(
            (0..<count).flatMap { FastCGIRecord.request("POST", "/\($0)", body: [UInt8](repeating: 1, count: $0)) })
        for number in 0..<count { #expect(try client.reply().text == "/\(number) \(number)") }
        #expect(server.server.statistics.acceptedConnections == 1)
        #expect(server.server.statistics.refusedHeads == 0)
    }

    @Test("wherever a read of the server ends, a request inside a body is none, and the one behind it is answered")
    func everyEdge() throws {
        let server = try RunningServer(handler: Self.echo)
        let client = try server.client()
        // The server reads 64 KiB at a time: one of these has any byte of the three requests stand at that edge.
        let edge = 65_536
        let tail = FastCGIRecord.request("GET", "/behind")
        for shift in stride(from: 0, to: Self.forged.count + tail.count + 40, by: 7) {
            let body = [UInt8](repeating: 0, count: edge - 400 + shift) + Self.forged
            for path in ["/unread", "/read"] {
                try client.send(FastCGIRecord.request("POST", path, body: body) + tail)
                #expect(try client.reply().text == "\(path) \(path == "/unread" ? 0 : body.count)")
                #expect(try client.reply().text == "/behind 0")
            }
        }
        #expect(server.server.statistics.acceptedConnections == 1)
    }

    @Test("cut anywhere, at any moment, no request comes out of a body and none is lost", arguments: [1, 2])
    func anyMoment(seed: UInt64) throws {
        let server = try RunningServer(handler: Self.echo)
        var random = SeededGenerator(seed: seed)
        let client = try server.client()
        for _ in 0..<200 {
            let first = FastCGIRecord.request("POST", "/unread", body: Self.forged + Self.forged)
            let bytes = first + FastCGIRecord.request("GET", "/behind")
            let cut = Int.random(in: 1..<bytes.count, using: &random)
            try client.send(Array(bytes[..<cut]))
            if Bool.random(using: &random) { poll(nil, 0, Int32.random(in: 0...2, using: &random)) }
            try client.send(Array(bytes[cut...]))
            #expect(try client.reply().text == "/unread 0")
            #expect(try client.reply().text == "/behind 0")
        }
        #expect(server.server.statistics.requests == 400)
    }

    @Test("one that came behind a request is answered after that one's large answer was read")
    func behindLargeAnswer() throws {
        let large = String(repeating: "x", count: 4_000_000)
        let server = try RunningServer { request in .text(request.path == "/large" ? large : request.path) }
        let client = try server.client()
        try client.send(FastCGIRecord.request("GET", "/large") + FastCGIRecord.request("GET", "/behind"))
        let other = try server.client()
        for _ in 0..<4 { #expect(try other.exchange("GET", "/other").text == "/other") }
        #expect(try client.reply().text == large)
        #expect(try client.reply().text == "/behind")
    }

    @Test("a connection that always has more gives others their turn")
    func floods() throws {
        let server = try RunningServer({ $0.workers = 1 }, handler: Self.echo)
        let flooder = try server.client()
        let good = try server.client()
        let isOver = Locked(false)
        let thread = try SystemThread(name: "test-flood") {
            let record = FastCGIRecord(FastCGIRecord.Kind.stdin, [UInt8](repeating: 1, count: 8), padding: 8).bytes
            let flood = (0..<4000).flatMap { _ in record }
            try? flooder.send(FastCGIRecord.head("POST", "/flood"))
            while !isOver.withLock({ $0 }) { try? flooder.send(flood) }
        }
        for _ in 0..<50 { #expect(try good.exchange("GET", "/good").text == "/good 0") }
        isOver.withLock { $0 = true }
        _ = thread.join(timeout: .seconds(20))
    }

    @Test("of many requests that came at once a few are answered, then others have their turn")
    func turns() throws {
        let order = Locked<[String]>([])
        let isHeld = Locked(true)
        let server = try RunningServer({ $0.workers = 1 }) { request in
            order.withLock { $0.append(request.path) }
            if request.path == "/held" { _ = eventually { isHeld.withLock { !$0 } } }
            return .text("")
        }
        let (held, flooder, good) = (try server.client(), try server.client(), try server.client())
        // Both are connections that the server knows before the one worker is busy.
        for client in [flooder, good] { _ = try client.exchange("GET", "/first") }
        try held.send(FastCGIRecord.request("GET", "/held"))
        #expect(eventually { order.withLock { $0.contains("/held") } })
        let count = 300
        try flooder.send((0..<count).flatMap { _ in FastCGIRecord.request("GET", "/flood") })
        try good.send(FastCGIRecord.request("GET", "/good"))
        isHeld.withLock { $0 = false }
        for client in [held, good] { _ = try client.reply() }
        for _ in 0..<count { _ = try flooder.reply() }
        let place = order.withLock { order in order.filter { $0 != "/first" }.firstIndex(of: "/good") }
        #expect(try #require(place) <= 17)
        #expect(order.withLock { $0.count { $0 == "/flood" } } == count)
    }
}

@Suite("Heads of any size, cut anywhere")
struct HeadSizeTests {
    private static func head(_ size: Int) -> [UInt8] {
        let bare = FastCGIRecord.head("GET", "/", [("HTTP_X_FILL", String(repeating: "x", count: 200))]).count
        return FastCGIRecord.head("GET", "/", [("HTTP_X_FILL", String(repeating: "x", count: max(200, size - bare)))])
    }

    @Test("are answered", arguments: [1 << 10, 4 << 10, 16 << 10, 32 << 10, 60 << 10, 65_000])
    func sizes(size: Int) throws {
        let server = try RunningServer { request in .text("\(request.fastCGI["HTTP_X_FILL"]?.utf8.count ?? 0)") }
        let client = try server.client()
        let request = Self.head(size) + FastCGIRecord(FastCGIRecord.Kind.stdin).bytes
        for piece in [request.count, 8191, 997, 64] {
            try client.send(request, inPiecesOf: piece)
            #expect(try client.reply().status == 200)
        }
        #expect(server.server.statistics.acceptedConnections == 1)
    }

    @Test("are answered byte by byte, up to the limit of the head", .timeLimit(.minutes(2)))
    func byteByByte() throws {
        let server = try RunningServer { request in .text(request.path) }
        let client = try server.client()
        let request = Self.head(65_000) + FastCGIRecord(FastCGIRecord.Kind.stdin).bytes
        try client.send(request, inPiecesOf: 1)
        #expect(try client.reply().text == "/")
    }
}

@Suite("Peers that vanish")
struct VanishingTests {
    @Test("half a head or half a body: the connection is closed when the peer closes, not at a deadline")
    func halves() throws {
        let server = try RunningServer { request in .text(request.path) }
        let head = FastCGIRecord.head("POST", "/", contentLength: 10)
        for round in 0..<100 {
            let client = try server.client()
            try client.send(round % 2 == 0 ? Array(head.dropLast(3)) : head)
            client.abort()
        }
        #expect(eventually { server.server.statistics.openConnections == 0 })
        #expect(server.server.statistics.timeouts == 0)
    }

    @Test(
        "half a head does not delay a stop until its deadline, whether its peer has gone or waits",
        arguments: [true, false])
    func stopping(vanish: Bool) throws {
        let server = try RunningServer({ $0.shutdownGrace = .seconds(60) }) { request in .text(request.path) }
        let clients = try (0..<100).map { _ in
            let client = try server.client()
            try client.send(Array(FastCGIRecord.head().dropLast(3)))
            return client
        }
        if vanish { clients.forEach { $0.abort() } }
        // A second of quiet; the grace is sixty, the deadline of a head ten: neither is waited for.
        #expect(server.stop(within: .seconds(8)))
        #expect(server.server.statistics.timeouts == 0)
        withExtendedLifetime(clients) {}
    }
}
