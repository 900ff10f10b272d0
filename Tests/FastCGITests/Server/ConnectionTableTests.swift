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
            #expect(seen.insert(table.withSlot(slot) { $0.generation }).inserted)
            #expect(table.reserve() == nil)
            table.withSlot(slot) { $0.free() }
            table.release(slot)
        }
        #expect(table.openCount == 0)
        #expect(table.scanLimit == 1)
    }

    @Test("a generation never runs into the marks of other events")
    func wrapping() {
        var slot = ConnectionTable.Slot()
        slot.generation = UInt32.max - 6
        for _ in 0..<6 {
            slot.free()
            let key = EventKey(packed: EventKey.connection(slot: 5, generation: slot.generation).packed)
            guard case .connection(5, slot.generation) = key else {
                Issue.record("generation \(slot.generation) reads as \(key)")
                return
            }
        }
        #expect(slot.generation < 6)
    }

    @Test("the keys of listeners and of the end come back as they were")
    func otherKeys() {
        guard case .exit = EventKey(packed: EventKey.exit.packed) else {
            Issue.record("the end reads as something else")
            return
        }
        guard case .listener(3) = EventKey(packed: EventKey.listener(3).packed) else {
            Issue.record("a listener reads as something else")
            return
        }
    }
}
