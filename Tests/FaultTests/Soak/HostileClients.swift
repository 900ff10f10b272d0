import Foundation
import Glibc
import TestSupport

/// Those who vanish, stall, stay silent or talk nonsense. What they get is little; that they are got rid of is checked.
struct HostileClients {
    /// nginx for the aborting clients alone: its log is full of what they did.
    let nginx: Nginx
    /// The FastCGI server's socket.
    let socket: String
    /// Longer than any deadline of the server; it closes what stalls long before.
    private static let patience: Int32 = 15_000

    func start(_ load: Load) {
        startAborts(load)
        load.start("vanishing peers", threads: 1) { _ in
            var round = 0
            return {
                round += 1
                vanish(at: round)
                load.tally.add("vanishing peers")
                poll(nil, 0, 10)
            }
        }
        load.start("garbage", threads: 1) { _ in
            var round = 0
            return {
                round += 1
                let bytes = Self.garbage(round)
                try expectClosed { try $0.send(bytes) }
                load.tally.add("garbage")
            }
        }
        load.start("silent peers", threads: 4) { number in
            return {
                // Silent from the beginning, or from the middle of a head or a body on.
                try expectClosed { client in
                    guard number % 4 > 0 else { return }
                    let head = FastCGIRecord.head("POST", "/app/login", contentLength: 100)
                    try client.send(number % 4 == 1 ? head.dropLast(9) : head)
                    if number % 4 == 3 { try client.send(FastCGIRecord(FastCGIRecord.Kind.stdin, [65]).bytes) }
                }
                load.tally.add("silent peers")
            }
        }
        load.start("dripping peers", threads: 4) { number in
            return {
                let head = FastCGIRecord.head("GET", "/app/" + String(repeating: "x", count: 2000))
                let byte = FastCGIRecord(FastCGIRecord.Kind.stdin, [65]).bytes
                try expectClosed { client in
                    if number % 2 == 0 { return try drip(client, load) { [head[$0]] } }
                    try client.send(FastCGIRecord.head("POST", "/app/login", contentLength: 100_000))
                    try drip(client, load) { _ in byte }
                }
                load.tally.add("dripping peers")
            }
        }
    }

    private func startAborts(_ load: Load) {
        let type = "Content-Type: multipart/form-data; boundary=b"
        let upload = "POST /app/login HTTP/1.1\r\nHost: localhost\r\n\(type)\r\nContent-Length: 4000000\r\n\r\n--b\r\n"
        let part = [UInt8](repeating: 65, count: 200_000)
        load.start("aborted uploads", threads: 1) { _ in
            var round = 0
            return {
                round += 1
                let client = try nginx.client()
                // nginx may be faster to refuse, when the server has ended the upload.
                try? client.send(Array(upload.utf8))
                for _ in 0..<round % 19 { try? client.send(part) }
                client.abort()
                load.tally.add("aborted uploads")
                poll(nil, 0, 20)
            }
        }
        load.start("aborted answers", threads: 1) { _ in
            var round = 0
            return {
                round += 1
                let client = try nginx.client()
                let path = round % 2 == 0 ? "/app/" : "/app/counter"
                try? client.send(Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
                if round % 4 < 3 { poll(nil, 0, Int32(round % 4)) }
                client.abort()
                load.tally.add("aborted answers")
                poll(nil, 0, 10)
            }
        }
    }

    /// Sends a request or a part of it, and goes; every fourth time with the beginning of the answer read.
    private func vanish(at round: Int) {
        guard let client = try? FastCGIClient(unix: socket) else { return }
        let body = [UInt8](repeating: 65, count: round % 3 == 0 ? 500_000 : 0)
        let request = FastCGIRecord.request(body.isEmpty ? "GET" : "POST", "/app/", body: body)
        // Lengths that are no part of the records' own rhythm.
        let length = round % 2 == 0 ? request.count : round * 7919 % request.count
        try? client.send(Array(request.prefix(length)), inPiecesOf: 40_000)
        if round % 4 == 0 {
            var descriptor = pollfd(fd: client.fd, events: Int16(POLLIN), revents: 0)
            poll(&descriptor, 1, 2_000)
            var byte: UInt8 = 0
            recv(client.fd, &byte, 1, Int32(MSG_DONTWAIT))
        }
        client.abort()
    }

    /// Noise, noise after a good beginning, and the corpus of what libfcgi could not bear.
    private static func garbage(_ round: Int) -> [UInt8] {
        let known = HostileBytes.heads
        guard round % 3 > 0 else { return known[round / 3 % known.count].bytes }
        let noise = (0..<Int.random(in: 8...5000)).map { _ in UInt8.random(in: 0...255) }
        return (round % 3 == 1 ? [] : FastCGIRecord.begin().bytes) + noise
    }

    /// Sends one piece after the other for as long as the server takes them.
    private func drip(_ client: FastCGIClient, _ load: Load, _ piece: (Int) -> [UInt8]) throws {
        for index in 0..<1000 where !load.isOver {
            try client.send(piece(index))
            // Its answer: the server has had enough.
            var descriptor = pollfd(fd: client.fd, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, 50) > 0 { return }
        }
    }

    /// - Throws: If the server keeps the connection after what `send` has sent.
    private func expectClosed(_ send: (FastCGIClient) throws -> Void) throws {
        let client = try FastCGIClient(unix: socket)
        // The server may close while this sends.
        try? send(client)
        guard try client.isClosedByServer(within: Self.patience) else {
            throw TestFailure(description: "not closed after \(Self.patience) ms")
        }
    }
}
