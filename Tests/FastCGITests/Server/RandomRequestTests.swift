import FastCGI
import GalletaPlatform
import Glibc
import TestSupport
import Testing

/// What no table of cases thinks of: any sizes, any cuts, any order, several clients at a time.
@Suite("Requests put together by chance")
struct RandomRequestTests {
    private struct Refused: Error {}
    /// A sanitizer takes long to put records together.
    private static let rounds = getenv("GALLETA_SANITIZED") == nil ? 60 : 10

    private static let handler: Server.Handler = { request in
        var body: [UInt8] = []
        switch request.segments.first {
        case "all": body = try request.body.collect()
        case "some":
            body = [UInt8](repeating: 0, count: 100)
            var count = 0
            while count < body.count {
                let more = try body.withUnsafeMutableBytes {
                    try request.body.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[count...]))
                }
                if more == 0 { break }
                count += more
            }
            body.removeLast(body.count - count)
        case "none", "large": break
        default: throw Refused()
        }
        let value = request.fastCGI["HTTP_X_VALUE"] ?? "-"
        let answer = RandomRequest.answer(request.fastCGI["HTTP_X_NAME"] ?? "-", value, body[...])
        return .text(request.segments.first == "large" ? answer + RandomRequest.large : answer)
    }

    @Test("every client gets its own answers, in its own order, on the connection that it keeps", arguments: 1...4)
    func random(seed: UInt64) async throws {
        let server = try RunningServer(handler: Self.handler)
        let clients = 6
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<UInt64(clients) {
                group.addTask { try await onThread { try Self.talk(server, seed << 8 | client) } }
            }
            try await group.waitForAll()
        }
        #expect(server.server.statistics.acceptedConnections == clients)
        #expect(server.server.statistics.refusedHeads == 0)
    }

    private static func talk(_ server: RunningServer, _ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let client = try server.client()
        for number in 0..<rounds {
            let request = RandomRequest(named: "\(seed)-\(number)", &random)
            var start = 0
            for cut in request.cuts + [request.bytes.count] where cut > start {
                try client.send(Array(request.bytes[start..<cut]))
                // Lets the server look at what there is, now and then.
                if Int.random(in: 0..<4, using: &random) == 0 { poll(nil, 0, 1) }
                start = cut
            }
            if Int.random(in: 0..<8, using: &random) == 0 { poll(nil, 0, 5) }
            let reply = try client.reply()
            let status = request.use == .fail ? 500 : 200
            guard reply.status == status, reply.text == request.answer else {
                throw TestFailure(
                    description: "seed \(seed), \(number): \(reply.status ?? 0) \(reply.text), not \(request.answer)")
            }
        }
    }
}
