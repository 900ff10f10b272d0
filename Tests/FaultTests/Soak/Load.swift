import Foundation
import Glibc

/// The threads of the soak's clients: each does one round after the other until the end.
final class Load: @unchecked Sendable {
    // Safe: what changes is under the lock.
    private let lock = NSLock()
    private let group = DispatchGroup()
    private var isFinished = false
    let tally = Tally()

    /// No further round is begun.
    var isOver: Bool { lock.withLock { isFinished } }

    /// Starts `threads` threads, each with a client of its own. What a round throws is an error of that kind, and the
    /// thread goes on with a new client.
    ///
    /// - Parameter makeClient: Gets the thread's number, and returns what does one round.
    func start(
        _ kind: String, threads: Int, _ makeClient: @escaping @Sendable (Int) throws -> () throws -> Void
    ) {
        // A kind that never gets anywhere is to be seen.
        tally.add(kind, 0)
        for number in 0..<threads {
            group.enter()
            Thread { [self] in
                defer { group.leave() }
                while !isOver {
                    do {
                        let round = try makeClient(number)
                        while !isOver { try round() }
                    } catch {
                        tally.complain(kind, "\(error)")
                        // A server that is gone would be asked ten thousand times a second.
                        poll(nil, 0, 100)
                    }
                }
            }.start()
        }
    }

    /// Ends all threads after the round that they are in.
    func finish() {
        lock.withLock { isFinished = true }
        group.wait()
    }
}
