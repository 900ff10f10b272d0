import Foundation
import TestSupport

/// A well-behaved visitor behind nginx: a kept connection, and a jar for the one cookie.
///
/// For one thread at a time.
final class Browser {
    private let nginx: Nginx
    private var client: HTTPClient
    /// `name=value`, once the server has set it.
    var cookie: String?

    init(_ nginx: Nginx, cookie: String? = nil) throws {
        self.nginx = nginx
        self.cookie = cookie
        client = try Self.connect(nginx)
    }

    private static func connect(_ nginx: Nginx) throws -> HTTPClient {
        let client = try nginx.client()
        // A restart under a sanitizer takes its time.
        client.timeout = 30_000
        return client
    }

    func get(_ path: String) throws -> HTTPReply {
        try keep(client.get(path, headers))
    }

    func post(_ path: String, form: [(String, String)]) throws -> HTTPReply {
        try keep(client.post(path, form: form, headers))
    }

    func post(_ path: String, type: String, body: [UInt8]) throws -> HTTPReply {
        try keep(client.request("POST", path, headers + ["Content-Type: \(type)"], body: body))
    }

    /// Sends a log-in, again and again as long as too many others log in: the answer asks for it.
    func logIn(_ send: () throws -> HTTPReply) throws -> HTTPReply {
        var reply = try send()
        for _ in 0..<600 where reply.status == 503 && reply["Retry-After"] != nil {
            poll(nil, 0, 50)
            reply = try send()
        }
        return reply
    }

    /// Sends a request byte by byte, with a pause before each.
    func drip(_ request: [UInt8], pause milliseconds: Int32) throws -> HTTPReply {
        for byte in request {
            poll(nil, 0, milliseconds)
            try client.send([byte])
        }
        return try keep(client.reply())
    }

    private var headers: [String] { cookie.map { ["Cookie: \($0)"] } ?? [] }

    private func keep(_ reply: HTTPReply) throws -> HTTPReply {
        if let set = reply.cookie { cookie = set }
        // nginx ends a client's connection after 1,000 requests.
        if reply.endsConnection { client = try Self.connect(nginx) }
        return reply
    }

    /// The token of the forms on the home page.
    func token() throws -> String {
        let page = try get("/app/")
        let parts = page.text.components(separatedBy: "name=\"csrf\" value=\"")
        guard page.status == 200, parts.count > 1, let token = parts[1].components(separatedBy: "\"").first else {
            throw TestFailure(description: "no token on the page: \(page.status) \(page.text.prefix(200))")
        }
        return token
    }

    /// - Throws: If the answer to `/app/whoami` names anybody else; nil is nobody.
    func expectUser(_ user: String?) throws {
        let reply = try get("/app/whoami")
        let wanted =
            user.map { #"{"authenticated":true,"user":"\#($0)"}"# } ?? #"{"authenticated":false,"user":null}"#
        guard reply.status == 200, reply.text == wanted else {
            throw TestFailure(description: "whoami of \(user ?? "nobody"): \(reply.status) \(reply.text)")
        }
    }

    /// Ends the session by the form of the home page; the old cookie must be worth nothing afterwards.
    func logOut() throws {
        let old = cookie
        let reply = try post("/app/logout", form: [("csrf", try token())])
        guard reply.status == 303 else { throw TestFailure(description: "log-out: \(reply.status) \(reply.text)") }
        cookie = old
        try expectUser(nil)
        cookie = nil
    }
}
