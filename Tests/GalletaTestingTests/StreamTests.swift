import Dispatch
import GalletaTesting
import Testing

@Suite("A stream in a test")
struct StreamTests {
    private struct Broken: Error, CustomStringConvertible {
        let description = "the pipe is broken"
    }

    @Test("of a sync closure and of an async one is read whole")
    func whole() throws {
        let app = try Application.testing()
        app.get("/sync") { _, _ in
            .stream(type: "text/plain") { writer in
                for _ in 0..<1000 { try writer.write(String(repeating: "x", count: 1000)) }
            }
        }
        app.get("/async") { _, _ in
            .asyncStream(type: "text/plain") { writer in
                for _ in 0..<1000 { try await writer.write(String(repeating: "x", count: 1000)) }
            }
        }
        try app.test { client throws in
            #expect(try client.get("/sync").body.count == 1_000_000)
            #expect(try client.get("/async").body.count == 1_000_000)
            #expect(try client.head("/async").body.isEmpty)
        }
    }

    @Test(
        "that fails midway is an error with what came before, and its reason", arguments: ["/sync", "/async", "/short"])
    func failsMidway(path: String) throws {
        let app = try Application.testing()
        app.get("/sync") { _, _ in
            .stream(type: "text/plain") { writer in
                try writer.write("begun")
                try writer.flush()
                throw Broken()
            }
        }
        app.get("/async") { _, _ in
            .asyncStream(type: "text/plain") { writer in
                try await writer.write("begun")
                try writer.flush()
                throw Broken()
            }
        }
        app.get("/short") { _, _ in
            .stream(type: "text/plain", length: 10) { writer in
                try writer.write("begun")
                try writer.flush()
            }
        }
        try app.test { client in
            let error = try #require(throws: TestClientError.self) { try client.get(path) }
            #expect(error.isCutShort && error.reply?.status == .ok && error.reply?.text == "begun")
            let reason = path == "/short" ? "its declared length is 10" : "the pipe is broken"
            #expect(error.errors.count == 1 && error.errors[0].contains(reason))
            #expect("\(error)".hasPrefix("GET \(path): ") && "\(error)".contains(reason))
        }
    }

    @Test("that fails before its first byte is a 500")
    func failsAtOnce() throws {
        let app = try Application.testing()
        app.get("/") { _, _ in .stream(type: "text/plain") { _ in throw Broken() } }
        try app.test { client in
            let reply = try client.get("/")
            #expect(reply.status == .internalServerError && reply.errors[0].contains("the pipe is broken"))
        }
    }

    @Test("of events without end is read as they come, and ends with its client")
    func endless() async throws {
        let app = try Application.testing()
        let (ends, end) = AsyncStream.makeStream(of: Bool.self)
        app.get("/ticks") { _, _ in
            .events { events in
                defer { end.yield(Task.isCancelled) }
                var count = 0
                while true {
                    count += 1
                    try await events.send("tick \(count)")
                    await Task.yield()
                }
            }
        }
        try await app.test { client in
            client.timeout = .seconds(60)
            let stream = try await client.open(TestRequest(.get, "/ticks"))
            #expect(stream.status == .ok && stream.headers[.contentType] == "text/event-stream")
            for count in 1...3 {
                #expect(try await stream.nextEvent() == ServerSentEvent("tick \(count)"))
            }
            stream.close()
            var endings = ends.makeAsyncIterator()
            #expect(await endings.next() != nil)
            await #expect(throws: TestClientError.self) { while try await stream.next() != nil {} }
        }
    }

    @Test("is read in the pieces in which it was sent, while its handler waits for the test")
    func pieces() async throws {
        let app = try Application.testing()
        let (words, word) = AsyncStream.makeStream(of: String.self)
        app.get("/words") { _, _ in
            .asyncStream(type: "text/plain") { writer in
                for await word in words {
                    try await writer.write(word)
                    try writer.flush()
                }
            }
        }
        try await app.test { client in
            client.timeout = .seconds(60)
            let stream = try await client.open(TestRequest(.get, "/words"))
            for text in ["one", "two"] {
                word.yield(text)
                #expect(try await stream.next() == Array(text.utf8))
            }
            word.yield("three")
            word.finish()
            #expect(try await stream.collect().text == "three")
        }
    }

    @Test("that is still open at the end of the test ends with it")
    func leftOpen() throws {
        let app = try Application.testing()
        let ended = DispatchSemaphore(value: 0)
        app.get("/") { _, _ in
            .events { events in
                defer { ended.signal() }
                while true {
                    try await events.send("x")
                    await Task.yield()
                }
            }
        }
        let stream = try app.test { client in try client.open(TestRequest(.get, "/")) }
        #expect(ended.wait(timeout: .now() + 10) == .success)
        #expect(throws: TestClientError.self) { while try stream.next() != nil {} }
    }
}
