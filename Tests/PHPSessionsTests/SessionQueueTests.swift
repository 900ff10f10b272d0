import Foundation
import GalletaPlatform
import TestSupport
import Testing

@testable import PHPSessions

@Suite("The line in front of a session")
struct SessionQueueTests {
    private let id = PHPSessionID("0123456789abcdefghijklmnop")!
    private let other = PHPSessionID("aaaaaaaaaaaaaaaaaaaaaaaaaa")!

    /// A lock that is asked for again and again.
    private final class PolledLock: Sendable {
        private let isTaken: Locked<Bool>

        init(isTaken: Bool) {
            self.isTaken = Locked(isTaken)
        }

        func ask() -> Bool {
            isTaken.withLock { isTaken in
                defer { isTaken = true }
                return !isTaken
            }
        }

        func release() { isTaken.withLock { $0 = false } }
    }

    @Test("who comes first has the session first, and nobody passes by who comes at the right moment")
    func order() throws {
        let (queue, lock) = (SessionQueue(limit: 100), PolledLock(isTaken: true))
        let (order, id) = (Locked<[Int]>([]), id)
        for number in 0..<8 {
            let thread = Thread {
                do {
                    try queue.take(id, until: .patient) { (deadline) throws(PHPSessionStoreError) in
                        guard deadline != nil else { return lock.ask() }
                        while !lock.ask() { sched_yield() }
                        return true
                    }
                    order.withLock { $0.append(number) }
                    lock.release()
                } catch {
                    order.withLock { $0.append(-1) }
                }
            }
            thread.start()
            #expect(eventually { queue.count(of: id) == number + 1 })
        }
        lock.release()
        #expect(eventually { order.withLock(\.count) == 8 })
        #expect(order.withLock { $0 } == Array(0..<8))
        #expect(queue.count(of: id) == 0)
    }

    @Test("as many wait as may, for one session; others have a line of their own")
    func limit() throws {
        let queue = SessionQueue(limit: 2)
        let places = [queue.enter(id), queue.enter(id)]
        #expect(queue.enter(id) == nil && queue.count(of: id) == 2)
        #expect(queue.enter(other) != nil)
        let error = #expect(throws: PHPSessionStoreError.self) {
            try queue.take(id, until: .patient) { (_) throws(PHPSessionStoreError) in true }
        }
        #expect(error?.code == .busy)
        queue.leave(id, try #require(places[0]))
        #expect(queue.enter(id) != nil)
    }

    @Test("whose turn does not come until the deadline goes away, and leaves no gap")
    func deadline() throws {
        let queue = SessionQueue(limit: 10)
        let place = try #require(queue.enter(id))
        #expect(throws: PHPSessionStoreError.self) {
            try queue.take(id, until: .impatient) { (_) throws(PHPSessionStoreError) in true }
        }
        #expect(queue.count(of: id) == 1)
        queue.leave(id, place)
        try queue.take(id, until: .impatient) { (_) throws(PHPSessionStoreError) in true }
    }

    @Test("a pause ends when this process lets the session go, or by itself")
    func pause() throws {
        let (queue, id) = (SessionQueue(limit: 10), id)
        _ = queue.enter(id)
        let releases = queue.releases(of: id)
        let isOver = Cell<Bool>()
        let thread = Thread {
            queue.pause(id, since: releases, for: .seconds(600))
            isOver.set(true)
        }
        thread.start()
        queue.released(other)
        queue.pause(id, since: releases, for: .milliseconds(1))
        #expect(isOver.value == nil)
        queue.released(id)
        #expect(eventually { isOver.value == true })
    }
}
