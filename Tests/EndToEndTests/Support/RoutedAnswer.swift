import Foundation
import TestSupport

/// What came back for a target, and what PathProgram said of it if it got there.
struct RoutedAnswer: Sendable, CustomStringConvertible {
    /// 0 if the connection was closed without an answer.
    let status: Int
    /// The route's pattern; nil if the request reached none.
    var route: String?
    /// What the route captured, as it was routed, and as it was meant.
    private var captured = ""
    private var decoded = ""

    private init(_ reply: HTTPReply?) {
        status = reply?.status ?? 0
        // PathProgram writes three lines.
        let lines = (reply?.body ?? []).split(separator: 10, omittingEmptySubsequences: false)
        guard status == 200, lines.count == 4, lines[0].first == UInt8(ascii: "/") else { return }
        route = String(decoding: lines[0], as: UTF8.self)
        captured = String(decoding: lines[1], as: UTF8.self)
        decoded = String(decoding: lines[2], as: UTF8.self)
    }

    var description: String { "\(status) \(route ?? "-") \(captured) \(decoded)" }

    var isDenied: Bool { status == 403 }

    /// A route has answered that the web server lets nobody reach.
    var hasPassedRule: Bool { route.map { $0.hasPrefix("/secret") || $0 == "/exact" } ?? false }

    /// It is what an honest target plainly means, or what the web server has a rule for.
    func isRight(for target: PlainTarget, behind kind: WebServer.Kind) -> Bool {
        // nginx, lighttpd and Caddy take an encoded slash for a slash when they match rules, and Caddy `SECRET` for `secret`.
        let path = kind == .caddy ? target.flattened.lowercased() : target.flattened
        let segments = target.segments
        // Caddy 2.6 does not resolve the last segment of `/app/secret/..`.
        if isDenied, kind == .caddy, target.endsWithDotSegment { return true }
        // Files with a dot are denied outside of the application.
        if isDenied {
            return path.hasPrefix("/app/secret") || path == "/app/exact"
                || segments.first != "app" && path.contains("/.")
        }
        guard segments.first == "app" else { return route == nil && [200, 301, 308, 404].contains(status) }
        if segments.count == 1, !target.endsWithSlash || target.endsWithDotSegment, status == 301 { return true }
        if segments.dropFirst().first == "secret" { return false }
        if segments == ["app", "exact"], !target.endsWithSlash { return false }
        guard let route else { return false }
        let isItem = segments.count == 3 && segments[1] == "items" && !target.endsWithSlash
        guard route == (isItem ? "/items/:name" : "/*") else { return false }
        let meant = segments.dropFirst(isItem ? 2 : 1)
        return decoded.utf8.elementsEqual(meant.joined(separator: "/").utf8)
            && captured.utf8.split(separator: UInt8(ascii: "/")).count == meant.count
    }

    /// Sends a GET for each target, on a few kept connections; answers in the order of the targets.
    static func ask(_ targets: [[UInt8]], of server: WebServer, connections: Int) throws -> [RoutedAnswer] {
        let lanes = (0..<connections).map { _ in Cell<[RoutedAnswer]>() }
        DispatchQueue.concurrentPerform(iterations: connections) { lane in
            var client: HTTPClient?
            lanes[lane].set(
                stride(from: lane, to: targets.count, by: connections).map {
                    RoutedAnswer(reply(to: targets[$0], of: server, &client))
                })
        }
        let answers = lanes.map { $0.value ?? [] }
        return targets.indices.map { answers[$0 % connections][$0 / connections] }
    }

    private static func reply(to target: [UInt8], of server: WebServer, _ client: inout HTTPClient?) -> HTTPReply? {
        // A kept connection may have been closed meanwhile.
        for _ in 0..<2 {
            do {
                let current = try client ?? server.client()
                client = current
                try current.send(Array("GET ".utf8) + target + Array(" HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
                let reply = try current.reply()
                if reply.endsConnection { client = nil }
                return reply
            } catch {
                client = nil
            }
        }
        return nil
    }
}
