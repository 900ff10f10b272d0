import Testing

@testable import FastCGI

@Suite("The connection table")
struct ConnectionTableTests {
    @Test("a freed slot has another generation, so that a late event is told from its successor's")
    func generations() throws {
        let table = ConnectionTable(capacity: 1)
        var seen: Set<UInt32> = []
        for _ in 0..<100 {
            let slot = try #require(table.reserve())
            table.withSlot(slot) { $0.open(7) }
            #expect(seen.insert(table.withSlot(slot) { $0.state.generation }).inserted)
            #expect(table.reserve() == nil)
            table.withSlot(slot) { $0.free() }
            table.release(slot)
        }
        #expect(table.openCount == 0)
        #expect(table.scanLimit == 1)
    }

    @Test("a generation never runs into the marks of other events")
    func wrapping() {
        for generation in (UInt32.max - 6)...UInt32.max {
            let state = ConnectionState(generation: generation)
            let next = state.nextGeneration
            let key = EventKey(packed: EventKey.connection(slot: 5, generation: next).packed)
            guard case .connection(5, next) = key else {
                Issue.record("generation \(next) reads as \(key)")
                return
            }
        }
        #expect(ConnectionState(generation: .max).nextGeneration == 0)
    }

    @Test("the keys of listeners and of the end come back as they were")
    func otherKeys() {
        guard case .exit = EventKey(packed: EventKey.exit.packed) else {
            Issue.record("the end reads as something else")
            return
        }
        // That of a broken listener has the mark of an end.
        for mark in [0, EventKey.endMark] {
            guard case .listener(3) = EventKey(packed: EventKey.listener(3).packed | mark) else {
                Issue.record("a listener reads as something else")
                return
            }
            guard case .connection(7, 5) = EventKey(packed: EventKey.connection(slot: 7, generation: 5).packed | mark)
            else {
                Issue.record("a connection reads as something else")
                return
            }
        }
    }
}
