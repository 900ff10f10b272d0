import FastCGI
import Foundation
import GalletaPlatform
import HTTPTypes
import TestSupport
import Testing

@Suite("What an application admits")
struct AdmissionTests {
    private func server(_ folder: TemporaryFolder) throws -> RunningServer {
        try RunningServer(
            {
                $0.maxBodyBytes = 1000
                $0.maxDrainBytes = 1 << 20
                $0.formLimits.temporaryDirectory = folder.path
            },
            admission: { request in
                switch request.path {
                case "/large": .body(limit: 300_000)
                case "/none": .body(limit: 0)
                case "/members": .answer(.text("log in first", status: .unauthorized))
                default: .body(limit: nil)
                }
            }
        ) { request in .text("\(try request.body.collect().count)") }
    }

    @Test("a path may have a limit of its own, above or below the server's")
    func limits() throws {
        let folder = try TemporaryFolder()
        let server = try server(folder)
        let client = try server.client()
        let rows = [
            ("/", 1000, 200), ("/", 1001, 413), ("/large", 300_000, 200), ("/large", 300_001, 413), ("/none", 0, 200),
            ("/none", 1, 413),
        ]
        for (path, count, status) in rows {
            let reply = try client.exchange("POST", path, body: [UInt8](repeating: 65, count: count))
            #expect(reply.status == status, "\(path) \(count)")
            if status == 200 { #expect(reply.text == "\(count)") }
        }
    }

    @Test("who is refused by the head is answered, and nothing of the body is kept")
    func refused() throws {
        let folder = try TemporaryFolder()
        let server = try server(folder)
        let client = try server.client()
        for count in [0, 10, 500_000] {
            let reply = try client.exchange("POST", "/members", body: [UInt8](repeating: 65, count: count))
            #expect(reply.status == 401 && reply.text == "log in first")
        }
        #expect(try client.exchange("POST", "/", body: [1]).text == "1")
    }

    @Test("what the request before came to is not this one's: nobody has left, and messages reach the error log")
    func fresh() throws {
        let isInside = Locked(false)
        let gate = Locked(false)
        let seen = Locked<[Bool]>([])
        let server = try RunningServer(
            { $0.workers = 1 },
            admission: { request in
                seen.withLock { $0.append(request.isCancelled) }
                request.errorStream.write("looked at \(request.path)")
                return .body(limit: nil)
            }
        ) { request in
            if request.path == "/left" {
                isInside.withLock { $0 = true }
                _ = eventually(within: 20) { gate.withLock { $0 } }
            }
            return .text("answer")
        }
        let gone = try server.client()
        try gone.send(FastCGIRecord.request("GET", "/left"))
        #expect(eventually { isInside.withLock { $0 } })
        gone.abort()
        gate.withLock { $0 = true }
        let reply = try server.client().exchange("GET", "/next")
        #expect(reply.text == "answer" && String(decoding: reply.errors, as: UTF8.self) == "looked at /next\n")
        #expect(seen.withLock { $0 } == [false, false])
    }

    @Test("more than is worth reading away is answered all the same, and the connection closed")
    func endless() throws {
        let folder = try TemporaryFolder()
        let server = try server(folder)
        for (path, status) in [("/members", 401), ("/", 413)] {
            let client = try server.client()
            try client.send(FastCGIRecord.head("POST", path, contentLength: 50_000_000))
            let part = FastCGIRecord(FastCGIRecord.Kind.stdin, [UInt8](repeating: 65, count: 60_000)).bytes
            let sender = try SystemThread(name: "sender") {
                while (try? client.send(part)) != nil {}
            }
            let reply = try client.reply()
            #expect(reply.status == status)
            #expect(sender.join(timeout: .seconds(20)))
        }
    }
}
