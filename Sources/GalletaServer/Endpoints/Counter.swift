internal import Galleta

/// `GET /counter`: the visitor's number, 1 at first, then one more each time; exact under parallel requests.
enum Counter {
    static let key = "counter"

    static func add(to application: Application) {
        application.get("/counter") { _, session in
            let count = try session.update(key, default: 0) { (count: inout Int) in
                count += 1
                return count
            }
            return "\(count)\n"
        }
    }
}
