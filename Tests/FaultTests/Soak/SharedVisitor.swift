import Foundation
import TestSupport

/// One visitor with many windows open: requests in parallel, all with the same cookie.
struct SharedVisitor {
    static let kind = "parallel visits"
    private let nginx: Nginx
    private let cookie: String

    init(_ nginx: Nginx) throws {
        self.nginx = nginx
        let browser = try Browser(nginx)
        guard try browser.get("/app/counter").text == "1\n", let cookie = browser.cookie else {
            throw TestFailure(description: "the first visit got no session")
        }
        self.cookie = cookie
    }

    func start(_ load: Load, threads: Int) {
        load.start(Self.kind, threads: threads) { _ in
            let browser = try Browser(nginx, cookie: cookie)
            var last = 0
            return {
                let reply = try browser.get("/app/counter")
                guard reply.status == 200, let number = Int(reply.text.dropLast()), number > last else {
                    throw TestFailure(description: "after \(last): \(reply.status) \(reply.text.prefix(200))")
                }
                last = number
                load.tally.add(Self.kind)
            }
        }
    }

    /// What is wrong with the counter after the load; nil if it is the number of the answers.
    func complaint(_ tally: Tally) throws -> String? {
        // The visit that began the session, and this one.
        let wanted = tally.count(Self.kind) + 2
        let reply = try Browser(nginx, cookie: cookie).get("/app/counter")
        return reply.text == "\(wanted)\n" ? nil : "the shared counter is \(reply.text), not \(wanted)"
    }
}
