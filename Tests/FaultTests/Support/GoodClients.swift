import Foundation
import TestSupport

/// Well-behaved clients beside the hostile ones: each counts its own visits, and knows which number has to come.
final class GoodClients: @unchecked Sendable {
    // Safe: what changes is under the lock.
    private let lock = NSLock()
    private let group = DispatchGroup()
    private var isOver = false
    private var answered = 0
    private var wrong: [String] = []

    /// Answers that were as they should be.
    var count: Int { lock.withLock { answered } }

    /// One through nginx, one straight to the socket on a kept connection, and one with a connection for each request.
    init(nginx: Nginx, server: GalletaProcess) {
        start { try Self.visitor(of: nginx) }
        start { try Self.visitor(of: server, keepsConnection: true) }
        start { try Self.visitor(of: server, keepsConnection: false) }
    }

    /// Runs a visitor until the end: it makes one visit a call and returns what was wrong with it.
    private func start(_ visitor: @escaping @Sendable () throws -> () throws -> String?) {
        group.enter()
        Thread { [self] in
            defer { group.leave() }
            do {
                let visit = try visitor()
                while !lock.withLock({ isOver }) {
                    let complaint = try visit()
                    lock.withLock { if let complaint { wrong.append(complaint) } else { answered += 1 } }
                }
            } catch {
                lock.withLock { wrong.append("\(error)") }
            }
        }.start()
    }

    private static func visitor(of nginx: Nginx) throws -> () throws -> String? {
        var client = try nginx.client()
        var cookie: [String] = []
        var visits = 0
        return {
            let reply = try client.get("/app/counter", cookie)
            visits += 1
            if let set = reply.cookie { cookie = ["Cookie: \(set)"] }
            if reply.endsConnection { client = try nginx.client() }
            return reply.status == 200 && reply.text == "\(visits)\n"
                ? nil : "visit \(visits) through nginx: \(reply.status) \(reply.text)"
        }
    }

    private static func visitor(
        of server: GalletaProcess, keepsConnection: Bool
    ) throws -> () throws -> String? {
        var client = try server.fastCGI()
        var cookie: [(String, String)] = []
        var visits = 0
        return {
            if !keepsConnection { client = try server.fastCGI() }
            let reply = try client.exchange("GET", "/app/counter", keep: keepsConnection, cookie)
            visits += 1
            if let set = reply["Set-Cookie"]?.split(separator: ";").first { cookie = [("HTTP_COOKIE", String(set))] }
            return reply.status == 200 && reply.text == "\(visits)\n"
                ? nil : "visit \(visits) by FastCGI: \(reply.status ?? 0) \(reply.text)"
        }
    }

    /// Ends them; returns what went wrong.
    func finish() -> [String] {
        lock.withLock { isOver = true }
        group.wait()
        return lock.withLock { wrong }
    }
}
