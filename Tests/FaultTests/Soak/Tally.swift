import Foundation

/// What the clients of the soak did and what went wrong, from all threads.
final class Tally: @unchecked Sendable {
    // Safe: what changes is under the lock.
    private let lock = NSLock()
    private var done: [String: Int] = [:]
    private var complaints: [String] = []
    private var complaintCount = 0
    /// Complaints kept in words; the rest is only counted, a server that fails for minutes must not fill the memory.
    private static let kept = 10

    /// Requests or visits of this kind that went as they should.
    func count(_ kind: String) -> Int { lock.withLock { done[kind, default: 0] } }

    /// All kinds by name.
    var counts: [(kind: String, count: Int)] {
        lock.withLock { done.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }

    /// How much went wrong.
    var errors: Int { lock.withLock { complaintCount } }

    /// The first few of what went wrong.
    var firstErrors: [String] { lock.withLock { complaints } }

    func add(_ kind: String, _ count: Int = 1) {
        lock.withLock { done[kind, default: 0] += count }
    }

    func complain(_ kind: String, _ text: String) {
        lock.withLock {
            complaintCount += 1
            if complaints.count < Self.kept { complaints.append("\(kind): \(text)") }
        }
    }
}
