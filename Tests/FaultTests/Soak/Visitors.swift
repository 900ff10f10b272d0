import Foundation
import TestSupport

/// Visitors who count: each has a cookie jar of its own, and knows which number has to come next.
struct Visitors {
    static let kind = "visits"
    let nginx: Nginx
    /// After so many visits comes a new visitor, with an empty jar.
    var visits = 300

    func start(_ load: Load, threads: Int) {
        load.start(Self.kind, threads: threads) { _ in
            var browser = try Browser(nginx)
            var last = 0
            return {
                if last == visits { (browser, last) = (try Browser(nginx), 0) }
                let reply = try browser.get("/app/counter")
                last += 1
                guard reply.status == 200, reply.text == "\(last)\n" else {
                    throw TestFailure(description: "visit \(last): \(reply.status) \(reply.text.prefix(200))")
                }
                load.tally.add(Self.kind)
            }
        }
    }
}
