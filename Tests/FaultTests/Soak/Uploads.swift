import Foundation
import TestSupport

/// Users who log in by a form that carries a file of 3 to 6 MB: the fields before and after the file must arrive.
struct Uploads {
    static let kind = "uploads"
    private let nginx: Nginx
    private let users: Users
    private let content: [UInt8]
    private static let boundary = "----soak-boundary"

    init(_ nginx: Nginx, _ users: Users) {
        self.nginx = nginx
        self.users = users
        // Beginnings of boundaries at every offset, on which a parser may trip.
        let line = Array("\r\n--\(Self.boundary.dropLast())!\r\n--\r\r\n\0\u{ff}".utf8)
        var content: [UInt8] = []
        content.reserveCapacity(6_000_000 + line.count)
        while content.count < 6_000_000 { content += line }
        self.content = content
    }

    func start(_ load: Load, threads: Int) {
        load.start(Self.kind, threads: threads) { number in
            // Not those who log in elsewhere: the pages would show sessions that come and go.
            let user = users[number + 100]
            let browser = try Browser(nginx)
            var random = SystemRandomNumberGenerator()
            return {
                let size = Int.random(in: 3_000_000...6_000_000, using: &random)
                let body = form(user, token: try browser.token(), size: size)
                let type = "multipart/form-data; boundary=\(Self.boundary)"
                let reply = try browser.logIn { try browser.post("/app/login", type: type, body: body) }
                guard reply.status == 303 else {
                    throw TestFailure(
                        description: "\(size) bytes of \(user.name): \(reply.status) \(reply.text.prefix(200))")
                }
                try browser.expectUser(user.name)
                try browser.logOut()
                load.tally.add(Self.kind)
            }
        }
    }

    private func form(_ user: (name: String, password: String), token: String, size: Int) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(size + 1000)
        body += Self.part("csrf", token) + Self.part("username", user.name)
        body += Array(
            "--\(Self.boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.bin\"\r\n".utf8)
        body += Array("Content-Type: application/octet-stream\r\n\r\n".utf8)
        body += content.prefix(size)
        body += Array("\r\n".utf8) + Self.part("password", user.password) + Array("--\(Self.boundary)--\r\n".utf8)
        return body
    }

    private static func part(_ name: String, _ value: String) -> [UInt8] {
        Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
    }
}
