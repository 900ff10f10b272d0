import FastCGI
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Request bodies")
struct BodyTests {
    private static let echo: Server.Handler = { request in
        request.path == "/unread" ? .text("not read") : .bytes(try request.body.collect(), type: "x/y")
    }

    @Test("a body round-trips", arguments: [0, 1, 7, 8, 8191, 8192, 65_535, 65_536, 1_000_000])
    func roundTrip(size: Int) throws {
        let server = try RunningServer(handler: Self.echo)
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let client = try server.client()
        #expect(try client.exchange("POST", "/", body: body).body == body)
        #expect(try client.exchange("POST", "/", body: body).body == body)
    }

    @Test(
        "an unread body that holds FastCGI records never becomes a request",
        // Within libfcgi's buffer of 8 KiB, beyond it but within one look at the connection, and beyond that.
        arguments: [1, 80, 100, 1500]
    )
    func unreadBodyIsNoRequest(repeats: Int) throws {
        let seen = SeenPaths()
        let server = try RunningServer { request in
            seen.add(request.path)
            return .text("answer to \(request.path)")
        }
        let forged = FastCGIRecord.request("GET", "/internal/admin", [("REMOTE_USER", "admin")])
        let client = try server.client()
        // Wherever libfcgi stops reading, one of them has a forged record begin there.
        for alignment in 0..<forged.count {
            let body = [UInt8](repeating: 0, count: alignment) + (0..<repeats).flatMap { _ in forged }
            #expect(try client.exchange("POST", "/unread", body: body).text == "answer to /unread")
            #expect(try client.exchange("GET", "/after").text == "answer to /after")
        }
        #expect(!seen.paths.contains("/internal/admin"))
        #expect(seen.paths.count == 2 * forged.count)
        #expect(server.server.statistics.acceptedConnections == 1)
    }

    @Test("a request that never reaches a handler has its body drained, too, whatever the one before did")
    func bodyOfUnusableRequest() throws {
        let server = try RunningServer({ $0.mount = try! MountPoint("/app") }, handler: Self.echo)
        let client = try server.client()
        let forged = FastCGIRecord.request("GET", "/app/internal", [("REMOTE_USER", "admin")])
        #expect(try client.exchange("POST", "/app/", body: [1]).status == 200)
        #expect(try client.exchange("POST", "/elsewhere", body: forged).status == 404)
        #expect(try client.exchange("POST", "/app/", body: [2]).body == [2])
        #expect(server.server.statistics.requests == 3)
    }

    @Test("an answer waits for the body that no handler reads: nginx sends no more of it once it sees one")
    func answerAfterBody() throws {
        let server = try RunningServer(handler: Self.echo)
        let client = try server.client()
        try client.send(FastCGIRecord.head("POST", "/unread", contentLength: 100_000))
        var descriptor = pollfd(fd: client.fd, events: Int16(POLLIN), revents: 0)
        // A moment in which an answer that did not wait would come; it never may.
        #expect(poll(&descriptor, 1, 100) == 0)
        try client.send(FastCGIRecord.stream(FastCGIRecord.Kind.stdin, [UInt8](repeating: 7, count: 100_000)))
        #expect(try client.reply().text == "not read")
    }

    @Test("an unread body that comes in pieces is drained, and the connection kept")
    func bodyInPieces() throws {
        let server = try RunningServer(handler: Self.echo)
        let client = try server.client()
        try client.send(FastCGIRecord.head("POST", "/unread", contentLength: 100_000))
        let body = FastCGIRecord.stream(FastCGIRecord.Kind.stdin, [UInt8](repeating: 7, count: 100_000))
        try client.send(Array(body.prefix(50_000)))
        try client.send(Array(body.dropFirst(50_000)))
        #expect(try client.reply().text == "not read")
        #expect(try client.exchange("POST", "/", body: [1, 2, 3]).body == [1, 2, 3])
        #expect(server.server.statistics.acceptedConnections == 1)
    }

    @Test("the end record in a write of its own belongs to the request", arguments: ["/unread", "/"])
    func separateEndRecord(path: String) throws {
        let server = try RunningServer(handler: Self.echo)
        let client = try server.client()
        for _ in 0..<3 {
            let request = FastCGIRecord.request("POST", path, body: [1, 2, 3])
            try client.send(Array(request.dropLast(8)))
            if path == "/unread" { try client.send(Array(request.suffix(8))) }
            if path == "/" { try client.send(Array(request.suffix(8))) }
            #expect(try client.reply().status == 200)
        }
        #expect(server.server.statistics.acceptedConnections == 1)
    }

    @Test("a body cut short is an error for the handler, not a short body")
    func truncatedBody() throws {
        let server = try RunningServer(handler: Self.echo)
        let client = try server.client()
        try client.send(FastCGIRecord.head("POST", "/", contentLength: 1000))
        try client.send(
            Array(FastCGIRecord(FastCGIRecord.Kind.stdin, [UInt8](repeating: 1, count: 1000)).bytes.prefix(300)))
        client.closeSending()
        #expect(try client.reply().status != 200)
    }

    @Test("a body whose length differs from CONTENT_LENGTH is refused", arguments: [9, 11])
    func lyingLength(declared: Int) throws {
        let server = try RunningServer(handler: Self.echo)
        let client = try server.client()
        let body = FastCGIRecord.stream(FastCGIRecord.Kind.stdin, [UInt8](repeating: 1, count: 10))
        try client.send(FastCGIRecord.head("POST", "/", contentLength: declared) + body)
        #expect(try client.reply().status == 400)
    }

    @Test("an unknown length is accepted: absent, empty and -1", arguments: [nil, "", "-1"])
    func unknownLength(value: String?) throws {
        let server = try RunningServer(handler: Self.echo)
        let client = try server.client()
        let more = value.map { [("CONTENT_LENGTH", $0)] } ?? []
        let body = FastCGIRecord.stream(FastCGIRecord.Kind.stdin, Array("chunked".utf8))
        try client.send(FastCGIRecord.head("POST", "/", more) + body)
        #expect(try client.reply().text == "chunked")
    }

    @Test("a length that is no number is refused", arguments: ["abc", "1e3", "+5", "0x10", "99999999999999999999999"])
    func malformedLength(value: String) throws {
        let server = try RunningServer(handler: Self.echo)
        #expect(try server.client().exchange("POST", "/", [("CONTENT_LENGTH", value)]).status == 400)
    }

    @Test("a body over the limit is 413, drained, and the connection goes on", arguments: [true, false])
    func overLimit(isDeclared: Bool) throws {
        let server = try RunningServer({ $0.maxBodyBytes = 1000 }, handler: Self.echo)
        let client = try server.client()
        let body = FastCGIRecord.stream(FastCGIRecord.Kind.stdin, [UInt8](repeating: 1, count: 300_000))
        try client.send(FastCGIRecord.head("POST", "/", contentLength: isDeclared ? 300_000 : nil) + body)
        #expect(try client.reply().status == 413)
        #expect(try client.exchange("POST", "/", body: [9]).body == [9])
        #expect(server.server.statistics.acceptedConnections == 1)
    }

    @Test("of a body over the limit no more than the drain limit is read: then the connection is closed")
    func drainLimit() throws {
        let server = try RunningServer(
            {
                $0.maxBodyBytes = 1000
                $0.maxDrainBytes = 10_000
            }, handler: Self.echo)
        let client = try server.client()
        try client.send(FastCGIRecord.head("POST", "/unread", contentLength: 3_000_000))
        let body = FastCGIRecord.stream(FastCGIRecord.Kind.stdin, [UInt8](repeating: 1, count: 3_000_000))
        try? client.send(body)
        #expect(try client.isClosedByServer())
        #expect(try server.client().exchange("POST", "/", body: [9]).body == [9])
    }

    @Test("a body that stops is answered at the body timeout with 408")
    func stoppedBody() throws {
        let server = try RunningServer({ $0.bodyTimeout = .milliseconds(200) }, handler: Self.echo)
        let client = try server.client()
        try client.send(FastCGIRecord.head("POST", "/", contentLength: 10))
        #expect(try client.reply().status == 408)
        #expect(try client.isClosedByServer())
    }

    @Test("a body that drips is bounded by the handler's deadline")
    func drippingBody() throws {
        let server = try RunningServer(
            {
                $0.bodyTimeout = .milliseconds(400)
                $0.handlerTimeout = .milliseconds(600)
            }, handler: Self.echo)
        let client = try server.client()
        try client.send(FastCGIRecord.head("POST", "/", contentLength: 100_000))
        let drip = FastCGIRecord(FastCGIRecord.Kind.stdin, [1]).bytes
        let closed = eventually {
            _ = client.sendSome(drip)
            var byte: UInt8 = 0
            return recv(client.fd, &byte, 1, Int32(MSG_DONTWAIT)) == 0
        }
        #expect(closed)
        #expect(eventually { server.server.statistics.timeouts == 1 })
    }

    @Test("a body that drips holds no worker, nor does one that stops: 20 of them with 2 workers, then a good request")
    func slowBodiesHoldNoWorker() throws {
        let server = try RunningServer(handler: Self.echo)
        let slow = try (0..<20).map { index in
            let client = try server.client()
            try client.send(FastCGIRecord.head("POST", "/", contentLength: 100_000))
            if index % 2 == 0 { try client.send(FastCGIRecord(FastCGIRecord.Kind.stdin, [1]).bytes) }
            return client
        }
        #expect(try server.client().exchange("POST", "/", body: [9]).body == [9])
        #expect(server.server.statistics.requests == 1)
        // Each goes on where it was, whatever happened meanwhile.
        for (index, client) in slow.enumerated() {
            let rest = [UInt8](repeating: 7, count: index % 2 == 0 ? 99_999 : 100_000)
            try client.send(FastCGIRecord.stream(FastCGIRecord.Kind.stdin, rest))
            #expect(try client.reply().body.count == 100_000)
        }
    }

    @Test("a body that comes byte by byte, records and all, arrives whole")
    func byteByByte() throws {
        let server = try RunningServer(handler: Self.echo)
        let client = try server.client()
        let body = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        for byte in FastCGIRecord.request("POST", "/", body: body) { try client.send([byte]) }
        #expect(try client.reply().body == body)
        #expect(try client.exchange("POST", "/", body: [1]).body == [1])
    }

    @Test("a body larger than what is held in memory comes back from disk, from several connections at a time")
    func spooledBodies() throws {
        let server = try RunningServer(handler: Self.echo)
        let bodies = (0..<4).map { seed in (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* (seed + 3)) } }
        let clients = try bodies.map { body in
            let client = try server.client()
            try client.send(FastCGIRecord.head("POST", "/", contentLength: body.count))
            return client
        }
        let streams = bodies.map { FastCGIRecord.stream(FastCGIRecord.Kind.stdin, $0, size: 9_999) }
        for start in stride(from: 0, to: streams[0].count, by: 50_000) {
            for (client, stream) in zip(clients, streams) { try client.send(Array(stream[start...].prefix(50_000))) }
        }
        for (client, body) in zip(clients, bodies) { #expect(try client.reply().body == body) }
    }

    @Test("a stopping server waits for a body that still arrives")
    func stoppingServer() throws {
        let server = try RunningServer({ $0.shutdownGrace = .seconds(20) }, handler: Self.echo)
        let client = try server.client()
        try client.send(FastCGIRecord.head("POST", "/", contentLength: 3))
        #expect(eventually { server.server.statistics.openConnections == 1 })
        server.server.shutdown()
        try client.send(FastCGIRecord.stream(FastCGIRecord.Kind.stdin, [1, 2, 3]))
        #expect(try client.reply().body == [1, 2, 3])
        #expect(server.stop())
    }

    @Test("a request that is kept can be looked at afterwards, but its body is over")
    func keptRequest() throws {
        let kept = KeptRequest()
        let server = try RunningServer { request in
            if request.path == "/keep" { kept.request = request }
            return .text("ok")
        }
        let client = try server.client()
        _ = try client.exchange("POST", "/keep", body: Array("secret".utf8), [("HTTP_X_MARK", "first")])
        for _ in 0..<20 { _ = try client.exchange("GET", "/other", [("HTTP_X_MARK", "second, and longer")]) }
        let request = try #require(kept.request)
        #expect(request.path == "/keep")
        #expect(request.fastCGI["HTTP_X_MARK"] == "first")
        #expect(throws: RequestBodyError.self) { try request.body.collect() }
    }
}

/// Paths that a handler saw.
final class SeenPaths: @unchecked Sendable {
    private let lock = NSLock()
    private var list: [String] = []

    var paths: [String] { lock.withLock { list } }

    func add(_ path: String) { lock.withLock { list.append(path) } }
}

/// A request that outlives its answer.
final class KeptRequest: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Request?

    var request: Request? {
        get { lock.withLock { value } }
        set { lock.withLock { value = newValue } }
    }
}
