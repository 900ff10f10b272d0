import Foundation
import Glibc
import TestSupport

/// Clients with a bad line, all of them honest: whoever sends something within the deadlines gets the answer.
struct SlowClients {
    static let visits = "slow visits"
    static let forms = "slow forms"
    let nginx: Nginx
    /// Passes bodies on as they come.
    let unbuffered: Nginx

    func start(_ load: Load, threads: Int) {
        load.start(Self.visits, threads: threads) { _ in
            let browser = try Browser(nginx)
            var last = 0
            return {
                let cookie = browser.cookie.map { "Cookie: \($0)\r\n" } ?? ""
                let request = "GET /app/counter HTTP/1.1\r\nHost: localhost\r\n\(cookie)\r\n"
                let reply = try browser.drip(Array(request.utf8), pause: 15)
                last += 1
                guard reply.status == 200, reply.text == "\(last)\n" else {
                    throw TestFailure(description: "visit \(last): \(reply.status) \(reply.text.prefix(200))")
                }
                load.tally.add(Self.visits)
            }
        }
        load.start(Self.forms, threads: threads) { _ in
            let browser = try Browser(unbuffered)
            return {
                let form = "username=a&password=b&csrf=\(String(repeating: "x", count: 60))"
                let request = """
                    POST /app/login HTTP/1.1\r
                    Host: localhost\r
                    Content-Type: application/x-www-form-urlencoded\r
                    Content-Length: \(form.utf8.count)\r
                    \r
                    \(form)
                    """
                let reply = try browser.drip(Array(request.utf8), pause: 10)
                // The whole form was read, and its token was not right.
                guard reply.status == 403 else {
                    throw TestFailure(description: "\(reply.status) \(reply.text.prefix(200))")
                }
                load.tally.add(Self.forms)
            }
        }
    }
}
