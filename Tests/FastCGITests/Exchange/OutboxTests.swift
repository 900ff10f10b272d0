import FastCGI
import Foundation
import GalletaPlatform
import Glibc
import HTTPTypes
import TestSupport
import Testing

@Suite("Answers that wait for their reader")
struct OutboxTests {
    /// More than any socket holds.
    private static let size = 4 << 20
    private static let text = String(repeating: "0123456789abcdef", count: size / 16)

    /// `/bytes`, `/string` and `/file` are large, everything else is small.
    private static func handler(_ folder: TemporaryFolder) throws -> Server.Handler {
        let path = folder.file("large")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return { request in
            switch request.path {
            case "/bytes": .bytes(Array(text.utf8), type: "x/y")
            case "/string": .text(text)
            case "/file": try .file(path, type: "x/y")
            default: .text("small")
            }
        }
    }

    /// A client that has asked for what no connection takes at once, and reads nothing.
    private func unread(_ path: String, of server: RunningServer) throws -> FastCGIClient {
        let client = try server.client()
        try client.send(FastCGIRecord.request("GET", path))
        #expect(eventually { server.server.statistics.requests == 1 && server.server.statistics.activeWorkers == 0 })
        return client
    }

    @Test("20 peers that never read hold neither of 2 workers", arguments: ["/bytes", "/string", "/file"])
    func holdNoWorker(path: String) throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer({ $0.writeTimeout = .seconds(60) }, handler: Self.handler(folder))
        let silent = try (0..<20).map { _ in try server.client() }
        for client in silent { try client.send(FastCGIRecord.request("GET", path)) }
        #expect(eventually { server.server.statistics.requests == 20 })
        let good = try server.client()
        for _ in 0..<100 { #expect(try good.exchange("GET", "/small").text == "small") }
        #expect(eventually { server.server.statistics.activeWorkers == 0 })
        // Whoever reads in the end gets all of it, and the connection is good for another request.
        for client in silent {
            #expect(try client.reply().text == Self.text)
            #expect(try client.exchange("GET", "/small").text == "small")
        }
        #expect(server.server.statistics.failedWrites == 0)
        #expect(server.server.statistics.acceptedConnections == 21)
    }

    @Test("a slow reader gets all of it: the write timeout counts from the last byte that was taken")
    func slowReader() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer({ $0.writeTimeout = .milliseconds(500) }, handler: Self.handler(folder))
        let client = try server.client()
        try client.send(FastCGIRecord.request("GET", "/file", keep: false))
        var received = 0
        var buffer = [UInt8](repeating: 0, count: 400_000)
        let start = BootInstant.now
        while case let count = recv(client.fd, &buffer, buffer.count, 0), count > 0 {
            received += count
            poll(nil, 0, 100)
        }
        #expect(start.duration(to: .now) > .milliseconds(700), "slower than the timeout")
        #expect(received > Self.size)
        #expect(eventually { server.server.statistics.openConnections == 0 })
        #expect(server.server.statistics.failedWrites == 0)
    }

    @Test("peers that do not read are cut at the write timeout; each is counted and reported once")
    func cut() throws {
        let folder = try TemporaryFolder()
        let summaries = Locked<[(path: String, wasSent: Bool)]>([])
        let server = try RunningServer(
            { $0.writeTimeout = .milliseconds(300) },
            observer: { summary in summaries.withLock { $0.append((summary.path, summary.wasSent)) } },
            handler: Self.handler(folder))
        let paths = ["/bytes", "/string", "/file"]
        let clients = try paths.map { path in
            let client = try server.client()
            try client.send(FastCGIRecord.request("GET", path))
            return client
        }
        #expect(eventually { server.server.statistics.failedWrites == 3 })
        for client in clients { #expect(try client.reply().isCut) }
        #expect(eventually { server.server.statistics.openConnections == 0 })
        #expect(summaries.withLock { $0.map(\.path).sorted() } == paths.sorted())
        #expect(summaries.withLock { $0.allSatisfy { !$0.wasSent } })
    }

    @Test("a reader that takes a little now and then is cut at the request's deadline")
    func drippingReader() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer({ $0.handlerTimeout = .milliseconds(600) }, handler: Self.handler(folder))
        let client = try server.client()
        try client.send(FastCGIRecord.request("GET", "/bytes"))
        var buffer = [UInt8](repeating: 0, count: 1000)
        let isCut = eventually {
            _ = recv(client.fd, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            return server.server.statistics.failedWrites == 1
        }
        #expect(isCut)
        #expect(eventually { server.server.statistics.openConnections == 0 })
    }

    @Test("a peer that goes while its answer waits is forgotten at once")
    func vanishes() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer(handler: Self.handler(folder))
        let client = try unread("/bytes", of: server)
        client.abort()
        #expect(eventually { server.server.statistics.openConnections == 0 })
        #expect(server.server.statistics.failedWrites == 1)
    }

    @Test("a file that becomes shorter while it is sent is cut: nobody takes it for whole")
    func shrinkingFile() throws {
        let folder = try TemporaryFolder()
        let log = CapturedLog()
        let server = try RunningServer(log: log, handler: Self.handler(folder))
        let client = try unread("/file", of: server)
        #expect(truncate(folder.file("large"), Self.size / 2) == 0)
        let reply = try client.reply()
        #expect(reply.isCut && reply.body.count <= Self.size / 2)
        #expect(eventually { log.lines.contains { $0.contains("became shorter") } })
    }

    @Test("a request that came too early is answered after the answer before it")
    func earlyRequest() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer(handler: Self.handler(folder))
        let client = try unread("/bytes", of: server)
        try client.send(FastCGIRecord.request("GET", "/small"))
        #expect(try client.reply().text == Self.text)
        #expect(try client.reply().text == "small")
    }

    @Test("small answers wait, too, where nobody reads: no worker is held by one that asks and asks")
    func manySmall() throws {
        let server = try RunningServer { _ in .bytes([UInt8](repeating: 7, count: 8000), type: "x/y") }
        let clients = try (0..<4).map { _ in try server.client() }
        var asked = 0
        for client in clients {
            // Until neither side has room.
            let request = FastCGIRecord.request()
            while client.sendSome(request) == request.count {
                asked += 1
                poll(nil, 0, asked % 64 == 0 ? 1 : 0)
                guard asked < 4000 else { break }
            }
        }
        #expect(try server.client().exchange().body.count == 8000)
        #expect(eventually { server.server.statistics.activeWorkers == 0 })
    }

    @Test("a stopping server waits for answers under way, and ends their connections properly")
    func stopping() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer({ $0.shutdownGrace = .seconds(20) }, handler: Self.handler(folder))
        let client = try unread("/file", of: server)
        server.server.shutdown()
        #expect(try client.reply().text == Self.text)
        #expect(server.stop())
    }

    @Test("a stop does not wait longer than its grace for a peer that never reads")
    func stoppingWithoutReader() throws {
        let folder = try TemporaryFolder()
        let server = try RunningServer({ $0.shutdownGrace = .milliseconds(500) }, handler: Self.handler(folder))
        let client = try unread("/file", of: server)
        #expect(server.stop(within: .seconds(10)))
        #expect(try client.reply().isCut)
    }

    @Test("a header block larger than a record is sent whole")
    func hugeHead() throws {
        let server = try RunningServer { _ in
            var response = Response.text("behind it")
            for number in 0..<10 {
                response.headers.append(HTTPField.Name("X-Long")!, String(repeating: "\(number)", count: 10_000))
            }
            return response
        }
        let reply = try server.client().exchange()
        #expect(
            reply.headerLines.filter { $0.hasPrefix("X-Long") }.map { $0.count } == [Int](repeating: 10_008, count: 10))
        #expect(reply.text == "behind it")
    }
}
