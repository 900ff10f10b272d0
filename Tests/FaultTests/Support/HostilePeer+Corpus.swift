import Glibc
import TestSupport

extension HostilePeer {
    private typealias Kind = FastCGIRecord.Kind

    /// The whole corpus: bytes that no web server sends, and behaviour that none shows.
    static let corpus: [HostilePeer] =
        heads + headsInPieces + bodies + poisonedPadding + oddities + lies + aborts + vanishing + slow

    private static let heads = HostileBytes.heads.map { hostile in
        HostilePeer("\(hostile)", outcome(of: hostile)) { try $0.send(hostile.bytes) }
    }

    private static let headsInPieces = HostileBytes.heads.filter { $0.bytes.count < 300 }.map { hostile in
        HostilePeer("\(hostile), byte by byte", outcome(of: hostile)) { try $0.send(hostile.bytes, inPiecesOf: 1) }
    }

    private static let bodies = HostileBytes.bodies.map { hostile in
        HostilePeer("\(hostile), inside a body", outcome(of: hostile)) { client in
            try client.send(FastCGIRecord.head("POST", "/app/login", contentLength: 100))
            try client.send(hostile.bytes)
        }
    }

    /// Padding may hold anything (section 3.3): here it is a record that libfcgi could not bear.
    private static let poisonedPadding = (0..<5).map { place in
        let names = (0..<15).flatMap { _ in FastCGIRecord.pairs([("FCGI_MAX_CONNS", "")]) }
        let poison = FastCGIRecord(Kind.getValues, id: 0, names).bytes
        let form = Array("csrf=1".utf8)
        let parameters =
            [("REQUEST_METHOD", "POST"), ("REQUEST_URI", "/app/login"), ("CONTENT_LENGTH", "6")] + formType
        var records = [
            FastCGIRecord.begin(), FastCGIRecord(Kind.params, FastCGIRecord.pairs(parameters)),
            FastCGIRecord(Kind.params), FastCGIRecord(Kind.stdin, form), FastCGIRecord(Kind.stdin),
        ]
        records[place].padding = poison.count
        let bytes = records.enumerated().flatMap { index, record in
            index == place ? record.bytes.dropLast(poison.count) + poison : record.bytes
        }
        return HostilePeer("GET_VALUES in the padding of record \(place)", .answered(403)) { try $0.send(bytes) }
    }

    // MARK: Legal, if odd

    private static let ping = FastCGIRecord.request("GET", "/app/ping")
    private static let parameters = [("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/app/ping")]

    private static func request(_ params: [UInt8]) -> [UInt8] {
        FastCGIRecord.begin().bytes + params + FastCGIRecord(Kind.stdin).bytes
    }

    private static let oddities: [HostilePeer] = [
        HostilePeer("a request byte by byte", .answered(200)) { try $0.send(ping, inPiecesOf: 1) },
        HostilePeer("a header in two halves", .answered(200)) { client in
            try client.send(Array(ping.prefix(4)))
            try client.send(Array(ping.dropFirst(4)))
        },
        HostilePeer("padding of 255 bytes everywhere", .answered(200)) { client in
            var begin = FastCGIRecord.begin()
            begin.padding = 255
            let params = FastCGIRecord(Kind.params, FastCGIRecord.pairs(parameters), padding: 255)
            let ends = [FastCGIRecord(Kind.params, padding: 255), FastCGIRecord(Kind.stdin, padding: 255)]
            try client.send(begin.bytes + params.bytes + ends.flatMap(\.bytes))
        },
        HostilePeer("pairs that straddle records of one byte", .answered(200)) { client in
            try client.send(request(FastCGIRecord.stream(Kind.params, FastCGIRecord.pairs(parameters), size: 1)))
        },
        HostilePeer("lengths of four bytes where one would do", .answered(200)) { client in
            let pairs = FastCGIRecord.pairs(parameters, longLengths: true)
            try client.send(request(FastCGIRecord.stream(Kind.params, pairs)))
        },
        HostilePeer("empty names and names that come twice", .answered(200)) { client in
            let pairs = [("", ""), ("", "x")] + parameters + [("REQUEST_METHOD", "DELETE"), ("X", ""), ("X", "")]
            try client.send(request(FastCGIRecord.stream(Kind.params, FastCGIRecord.pairs(pairs))))
        },
        HostilePeer("no parameters at all", .answered(500)) { client in
            try client.send(request(FastCGIRecord(Kind.params).bytes))
        },
        HostilePeer("a body of records of 65,535 bytes", .answered(403)) { client in
            let body = [UInt8](repeating: 0x41, count: 200_000)
            try client.send(FastCGIRecord.request("POST", "/app/login", body: body, Self.formType))
        },
        HostilePeer("a body of records of one byte", .answered(403)) { client in
            let stream = FastCGIRecord.stream(Kind.stdin, Array("csrf=1&username=x&password=y".utf8), size: 1)
            try client.send(FastCGIRecord.head("POST", "/app/login", contentLength: 28, Self.formType) + stream)
        },
        HostilePeer("a method that is no token", .answered(400)) {
            try $0.send(FastCGIRecord.request("GE T", "/app/ping"))
        },
        HostilePeer("control characters in everything", .answered(400)) {
            let noise = String(decoding: (1...31).map { UInt8($0) }, as: UTF8.self)
            try $0.send(
                FastCGIRecord.request("GET", "/app/\(noise)", [("HTTP_COOKIE", noise), ("REMOTE_ADDR", noise)]))
        },
        HostilePeer("parameters of 1 MiB", .refused(431)) { client in
            let pairs = FastCGIRecord.pairs([("BIG", String(repeating: "x", count: 1 << 20))])
            try client.send(request(FastCGIRecord.stream(Kind.params, pairs)))
        },
        HostilePeer("parameters of 60,000 bytes", .answered(200)) { client in
            try client.send(FastCGIRecord.request("GET", "/app/ping", [("BIG", String(repeating: "x", count: 60_000))]))
        },
        HostilePeer("a cookie of 30,000 bytes", .answered(200)) { client in
            let cookie = (0..<3000).map { _ in "sid=a; b" }.joined(separator: "; ")
            try client.send(FastCGIRecord.request("GET", "/app/counter", [("HTTP_COOKIE", cookie)]))
        },
    ]

    private static let formType = [("CONTENT_TYPE", "application/x-www-form-urlencoded")]

    // MARK: Lies about lengths

    private static func post(_ declared: String, _ body: [UInt8]) -> [UInt8] {
        FastCGIRecord.head("POST", "/app/login", [("CONTENT_LENGTH", declared)] + formType)
            + FastCGIRecord.stream(Kind.stdin, body)
    }

    private static let lies: [HostilePeer] = [
        HostilePeer("a body shorter than it says", .answered(400)) { try $0.send(post("9", [65, 66])) },
        HostilePeer("a body longer than it says", .answered(400)) { try $0.send(post("1", [65, 66])) },
        HostilePeer("a length that is no number", .answered(400)) { try $0.send(post("0x10", [65, 66])) },
        HostilePeer("a length beyond 64 bits", .answered(400)) {
            try $0.send(post("99999999999999999999999999", [65, 66]))
        },
        HostilePeer("a length of 1 TB", .answered(413)) { try $0.send(post("1000000000000", [65, 66])) },
        HostilePeer("a body over the limit, with no word of its length", .answered(413)) { client in
            let body = [UInt8](repeating: 65, count: 2 << 20)
            try client.send(post("", body))
        },
        HostilePeer("a record that claims more than comes", .answered(408)) { client in
            var record = FastCGIRecord(Kind.stdin, [1, 2, 3])
            record.claimedLength = 60_000
            try client.send(FastCGIRecord.head("POST", "/app/login", contentLength: 60_000) + record.bytes)
        },
        HostilePeer("a head whose last record claims more than comes", .closed) { client in
            var record = FastCGIRecord(Kind.params, [1, 2, 3])
            record.claimedLength = 30_000
            try client.send(FastCGIRecord.begin().bytes + record.bytes)
        },
    ]

    // MARK: Aborts

    private static let aborts: [HostilePeer] = [
        HostilePeer("ABORT before anything", .closed) { try $0.send(FastCGIRecord(Kind.abort).bytes) },
        HostilePeer("ABORT of an unknown request", .ended(1)) {
            try $0.send(FastCGIRecord.begin().bytes + FastCGIRecord(Kind.abort, id: 77).bytes)
        },
        HostilePeer("ABORT behind a part of the body", .closed) { client in
            try client.send(FastCGIRecord.head("POST", "/app/login", contentLength: 100))
            try client.send(FastCGIRecord(Kind.stdin, [1, 2, 3]).bytes + FastCGIRecord(Kind.abort).bytes)
        },
        HostilePeer("no more to come in the middle of a body", .answered(400)) { client in
            try client.send(FastCGIRecord.head("POST", "/app/login", contentLength: 100))
            try client.send(FastCGIRecord(Kind.stdin, [1, 2, 3]).bytes)
            client.closeSending()
        },
        HostilePeer("no more to come in the middle of a head", .closed) { client in
            try client.send(Array(ping.prefix(30)))
            client.closeSending()
        },
        HostilePeer("no more to come before anything", .closed) { $0.closeSending() },
        HostilePeer("no more to come behind a whole request", .answered(200)) { client in
            try client.send(ping)
            client.closeSending()
        },
    ]

    // MARK: Gone

    private static let vanishing: [HostilePeer] = [
        HostilePeer("connects and closes", .nothing) { $0.abort() },
        HostilePeer("vanishes in the middle of a head", .nothing) { client in
            try client.send(Array(ping.prefix(30)))
            client.abort()
        },
        HostilePeer("vanishes behind its request", .nothing) { client in
            try client.send(FastCGIRecord.request("GET", "/app/"))
            client.abort()
        },
        HostilePeer("vanishes in the middle of a body", .nothing) { client in
            try client.send(FastCGIRecord.head("POST", "/app/login", contentLength: 100_000))
            try client.send(Array(FastCGIRecord(Kind.stdin, [UInt8](repeating: 1, count: 60_000)).bytes.dropLast()))
            client.abort()
        },
        HostilePeer("vanishes at the first bytes of its answer", .nothing) { client in
            try client.send(FastCGIRecord.request("GET", "/app/"))
            var byte: UInt8 = 0
            recv(client.fd, &byte, 1, 0)
            client.abort()
        },
    ]

    // MARK: Slow

    private static let slow: [HostilePeer] = [
        HostilePeer("is silent", .closed) { _ in },
        HostilePeer("stops in the middle of a head", .closed) { try $0.send(Array(ping.prefix(30))) },
        HostilePeer("stops behind its head", .answered(408)) {
            try $0.send(FastCGIRecord.head("POST", "/app/login", contentLength: 10))
        },
        HostilePeer("never ends its body", .answered(408)) { client in
            let body = FastCGIRecord.stream(Kind.stdin, [UInt8](repeating: 1, count: 10))
            try client.send(FastCGIRecord.head("POST", "/app/login", contentLength: 10) + body.dropLast(8))
        },
        HostilePeer("drips its head", .closed) { client in
            let head = FastCGIRecord.request("GET", "/app/" + String(repeating: "x", count: 5000))
            drip(head, to: client)
        },
        HostilePeer("drips its body", .answered(408)) { client in
            try client.send(FastCGIRecord.head("POST", "/app/login", contentLength: 100_000))
            drip(FastCGIRecord.stream(Kind.stdin, [UInt8](repeating: 1, count: 100_000), size: 1), to: client)
        },
        HostilePeer("asks again and again and never reads", .cut) { client in
            // Until what the kernel holds for it is full, and the server has to give up.
            for _ in 0..<20_000 where (try? client.send(FastCGIRecord.request("GET", "/app/"))) == nil { break }
            var descriptor = pollfd(fd: client.fd, events: Int16(POLLHUP) | 0x2000 /* POLLRDHUP */, revents: 0)
            poll(&descriptor, 1, 10_000)
        },
    ]

    /// Sends a byte now and then until the server has closed or answered.
    private static func drip(_ bytes: [UInt8], to client: FastCGIClient) {
        for byte in bytes {
            var descriptor = pollfd(fd: client.fd, events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, 20) == 0, client.sendSome([byte]) == 1 else { return }
        }
    }
}
