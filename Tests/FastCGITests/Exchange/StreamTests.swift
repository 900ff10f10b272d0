import FastCGI
import GalletaPlatform
import Glibc
import HTTPTypes
import TestSupport
import Testing

@Suite("Async streams")
struct StreamTests {
    /// Reads from a connection until the text of what came holds all of `texts`, in their order.
    private func reads(_ client: FastCGIClient, _ texts: [String], within seconds: Double = 20) -> Bool {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        return eventually(within: seconds) {
            while case let count = recv(client.fd, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 {
                received += buffer[..<count]
            }
            var rest = String(decoding: received, as: UTF8.self)[...]
            for text in texts {
                guard let range = rest.firstRange(of: text) else { return false }
                rest = rest[range.upperBound...]
            }
            return true
        }
    }

    @Test("arrive as they were written, whole, and the connection goes on")
    func whole() throws {
        let server = try RunningServer { request in
            Response(
                body: .asyncStream(length: request.path == "/known" ? 1_000_000 : nil) { writer in
                    for index in 0..<100 {
                        try await writer.write([UInt8](repeating: UInt8(index), count: 10_000))
                        if index % 10 == 0 { await Task.yield() }
                    }
                })
        }
        let client = try server.client()
        for path in ["/known", "/unknown", "/known"] {
            let reply = try client.exchange("GET", path)
            #expect(reply.body == (0..<100).flatMap { [UInt8](repeating: UInt8($0), count: 10_000) })
            #expect(reply["Content-Length"] == (path == "/known" ? "1000000" : nil))
            #expect(reply["X-Accel-Buffering"] == (path == "/known" ? nil : "no"))
        }
    }

    @Test("what was flushed is there before the next is written")
    func flushed() throws {
        let gate = Locked(0)
        let server = try RunningServer { _ in
            Response(
                body: .asyncStream(length: nil) { writer in
                    for number in 0..<3 {
                        while gate.withLock({ $0 }) < number { await pause(milliseconds: 1) }
                        try await writer.write("part \(number);")
                        try writer.flush()
                    }
                })
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request())
        #expect(reads(client, ["part 0;"]))
        gate.withLock { $0 = 1 }
        #expect(reads(client, ["part 1;"]))
        gate.withLock { $0 = 2 }
        #expect(reads(client, ["part 2;"]))
    }

    @Test("that fail, or whose length is not the declared one, are cut")
    func failing() throws {
        let server = try RunningServer { request in
            Response(
                body: .asyncStream(length: 10) { writer in
                    try await writer.write("part")
                    if request.path == "/throws" { throw CancellationError() }
                    if request.path == "/long" { try await writer.write("too long, far too long") }
                })
        }
        for path in ["/throws", "/short", "/long"] {
            let reply = try server.client().exchange("GET", path)
            #expect(reply.isCut && reply.status == 200)
        }
        #expect(eventually { server.server.statistics.openConnections == 0 })
    }

    @Test("send no body on HEAD and 204, and their closures do not run")
    func silent() throws {
        let runs = Locked(0)
        let server = try RunningServer { request in
            Response(
                status: request.path == "/empty" ? .noContent : .ok,
                body: .asyncStream(length: 5) { writer in
                    runs.withLock { $0 += 1 }
                    try await writer.write("never")
                })
        }
        let client = try server.client()
        let head = try client.exchange("HEAD", "/")
        #expect(head.body.isEmpty && head["Content-Length"] == "5" && head.status == 200)
        #expect(try client.exchange("GET", "/empty").body.isEmpty)
        #expect(runs.withLock { $0 } == 0)
    }

    @Test("a slow reader suspends its writer; one that reads nothing is cut at the write timeout, and its task ends")
    func backPressure() throws {
        let written = Locked(0)
        let end = Locked<String?>(nil)
        let server = try RunningServer({ $0.writeTimeout = .milliseconds(300) }) { _ in
            Response(
                body: .asyncStream(length: nil) { writer in
                    do {
                        while true {
                            try await writer.write([UInt8](repeating: 7, count: 10_000))
                            written.withLock { $0 += 10_000 }
                        }
                    } catch {
                        end.withLock { $0 = "\(error)" }
                        throw error
                    }
                })
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request())
        #expect(eventually { end.withLock { $0?.contains("stopped reading") } == true })
        // What the kernel takes, and not without end.
        #expect(written.withLock { $0 } < 8 << 20)
        #expect(eventually { server.server.statistics.openConnections == 0 })
        #expect(server.server.statistics.failedWrites == 1)
    }

    @Test("outlive the handler timeout, and hold no worker")
    func long() throws {
        let server = try RunningServer({
            $0.workers = 1
            $0.handlerTimeout = .milliseconds(300)
        }) { request in
            guard request.path == "/stream" else { return .text("other") }
            return Response(
                body: .asyncStream(length: nil) { writer in
                    for number in 0..<12 {
                        try await writer.write("\(number) ")
                        try writer.flush()
                        await pause(milliseconds: 50)
                    }
                })
        }
        let streams = try (0..<20).map { _ in try server.client() }
        for stream in streams { try stream.send(FastCGIRecord.request("GET", "/stream")) }
        let other = try server.client()
        for _ in 0..<20 { #expect(try other.exchange("GET", "/").text == "other") }
        for stream in streams { #expect(try stream.reply().text == "0 1 2 3 4 5 6 7 8 9 10 11 ") }
        #expect(server.server.statistics.timeouts == 0)
    }

    @Test("when the client goes the task is cancelled")
    func peerGone() throws {
        let ended = Locked(0)
        let server = try RunningServer { _ in
            Response(
                body: .asyncStream(length: nil) { writer in
                    defer { ended.withLock { $0 += 1 } }
                    try await writer.write("first")
                    try writer.flush()
                    try await Task.sleep(for: .seconds(60))
                })
        }
        let clients = try (0..<10).map { _ in try server.client() }
        for client in clients {
            try client.send(FastCGIRecord.request())
            #expect(reads(client, ["first"]))
            client.abort()
        }
        #expect(eventually { ended.withLock { $0 } == 10 })
        #expect(eventually { server.server.statistics.openConnections == 0 })
    }

    // MARK: Events

    @Test("events are sent line by line, and what is no line is refused")
    func events() throws {
        let errors = Locked<[String]>([])
        let server = try RunningServer { _ in
            .events { events in
                try await events.send("plain")
                try await events.send("two\nlines\r\nthree\rfour", event: "kind", id: "7")
                try await events.send("")
                for (event, id) in [("a\nb", nil), (nil, "1\r2"), (nil, "1\0")] as [(String?, String?)] {
                    do { try await events.send("x", event: event, id: id) } catch {
                        errors.withLock { $0.append("\(error)") }
                    }
                }
            }
        }
        let client = try server.client()
        let reply = try client.exchange()
        #expect(reply["Content-Type"] == "text/event-stream")
        #expect(reply["X-Accel-Buffering"] == "no")
        #expect(
            reply.text == """
                data: plain

                event: kind
                id: 7
                data: two
                data: lines
                data: three
                data: four

                data:\u{20}


                """)
        #expect(errors.withLock { $0.count } == 3)
    }

    @Test("a stop ends streams of events with a word to come back, at once; others end with the grace")
    func stopping() throws {
        let server = try RunningServer({ $0.shutdownGrace = .seconds(20) }) { _ in
            .events { events in
                try await events.send("first")
                try await Task.sleep(for: .seconds(60))
            }
        }
        let clients = try (0..<5).map { _ in try server.client() }
        for client in clients {
            try client.send(FastCGIRecord.request())
            #expect(reads(client, ["data: first"]))
        }
        let start = BootInstant.now
        server.server.shutdown()
        for client in clients { #expect(try client.reply().output == Array("retry: 1000\n\n".utf8)) }
        #expect(server.stop())
        #expect(start.duration(to: .now) < .seconds(5))
    }
}
