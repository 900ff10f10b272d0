import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The tests' own HTTP client")
struct HTTPClientTests {
    struct Answer: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: String
        let body: String?

        init(_ name: String, _ bytes: String, _ body: String?) {
            testDescription = name
            self.bytes = bytes
            self.body = body
        }
    }

    static let answers: [Answer] = [
        Answer("length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 more", "ok"),
        Answer(
            "chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
            "ab0123456789"),
        Answer(
            "trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: 1\r\nY: 2\r\n\r\n", "a"),
        Answer("until the end", "HTTP/1.1 200 OK\r\n\r\nall of it", "all of it"),
        Answer("after 100", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "x"),
        Answer("204", "HTTP/1.1 204 No Content\r\n\r\nstray", ""),
        Answer("short of its length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", nil),
        Answer("chunks without an end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", nil),
        Answer("no chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\na\r\n0\r\n\r\n", nil),
        Answer("chunk over its size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", nil),
        Answer("a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok", nil),
        Answer("not HTTP", "\u{1}\u{6}\r\n\r\n", nil),
        Answer("nothing", "", nil),
    ]

    @Test("reads a whole answer, and takes no broken one for whole", arguments: answers)
    func reads(answer: Answer) throws {
        let server = try ScriptedServer(answer: answer.bytes)
        let client = try HTTPClient(port: Int(server.port))
        if let body = answer.body {
            #expect(try client.get("/").text == body)
        } else {
            #expect(throws: HTTPClient.Failure.self) { try client.get("/") }
        }
    }

    @Test("sends header lines and other bytes as they stand")
    func sends() throws {
        let server = try ScriptedServer { connection in
            var request = [UInt8](repeating: 0, count: 4096)
            let count = recv(connection, &request, request.count, 0)
            let head = "HTTP/1.1 200 OK\r\n\r\n"
            _ = send(connection, head, head.utf8.count, Int32(MSG_NOSIGNAL))
            _ = send(connection, request, max(0, count), Int32(MSG_NOSIGNAL))
        }
        let client = try HTTPClient(port: Int(server.port))
        let bytes = Array("GET / HTTP/1.0\r\nCookie: a=\u{ff}\r\nCookie: b=".utf8) + [0, 0xff, 10, 10]
        try client.send(bytes)
        #expect(try client.reply().body == bytes)
    }

    @Test("waits for no peer without end, when it sends or when it reads")
    func deadline() throws {
        // It keeps the connection open to the end of the test, and takes nothing.
        let isOver = Cell<Int32>()
        defer { isOver.set(0) }
        let server = try ScriptedServer { _ in _ = eventually(within: 60) { isOver.value != nil } }
        let client = try HTTPClient(port: Int(server.port))
        client.timeout = 50
        #expect(throws: HTTPClient.Failure.self) { try client.reply() }
        #expect(throws: HTTPClient.Failure.self) { try client.send([UInt8](repeating: 0, count: 64 << 20)) }
    }

    @Test("vanishes with RST")
    func abort() throws {
        let code = Cell<Int32>()
        let server = try ScriptedServer { connection in
            var byte: UInt8 = 0
            code.set(recv(connection, &byte, 1, 0) < 0 ? errno : 0)
        }
        try HTTPClient(port: Int(server.port)).abort()
        #expect(eventually { code.value != nil })
        #expect(code.value == ECONNRESET)
    }

    @Test("a refused connection is a failure, and closes no other descriptor")
    func refused() throws {
        let reserved = try Loopback.reserve()
        defer { close(reserved.fd) }
        let isOver = Cell<Int32>()
        let lost = Cell<Int32>()
        Thread {
            while isOver.value == nil {
                let fd = open("/dev/null", O_RDONLY | O_CLOEXEC)
                if fd >= 0, close(fd) != 0 { lost.set(errno) }
            }
            isOver.set(1)
        }.start()
        for _ in 0..<3000 {
            #expect(throws: HTTPClient.Failure.self) { try HTTPClient(port: Int(reserved.port)) }
        }
        isOver.set(0)
        #expect(eventually { isOver.value == 1 })
        #expect(lost.value == nil)
    }
}
