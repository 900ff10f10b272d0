internal import Sessions
internal import Synchronization

extension MemoryStore: StateContent {
    package var stateKind: SnapshotHeader.Kind { .own }
    package var stateName: String { "sessions" }
    package var stateJournal: StateJournal? { ledger.journal }
    package var stateTime: SnapshotTime { SnapshotTime(clock) }
    package var sessionCount: Int { count }
    package var evictionCount: Int { ledger.evicted.load(ordering: .relaxed) }

    package func restore(_ record: StateRecord, isJournalled: Bool, _ restoration: inout StateRestoration) -> Bool {
        let now = restoration.now.clock
        switch MemoryEntry(record) {
        case .session(let session):
            put(session, isJournalled: isJournalled, &restoration)
        case .removal(let digest):
            _ = removeRestored(digest)
        case .rotation(let old, let graceEnd, let sealed, let session):
            _ = removeRestored(old)
            put(session, isJournalled: isJournalled, &restoration)
            // Its answer may not have reached the visitor.
            let end = graceEnd.addingSaturated(restoration.shift)
            restoreReplaced(old, sealed: sealed, graceEnd: end, at: now)
        case nil:
            return false
        }
        return true
    }

    package func endRestoring() {
        users.sort()
    }

    package func write(
        _ header: SnapshotHeader, while shouldGoOn: () -> Bool, to sink: SnapshotSink
    ) throws(StateFailure) -> StateSummary? {
        var taker = SnapshotTaker(of: self, header)
        guard try taker.run(while: shouldGoOn, to: sink) else { return nil }
        return StateSummary(sessions: taker.sessions, oversized: taker.oversized)
    }

    /// Puts a session in, as it is from this record on.
    private func put(_ session: SnapshotSession, isJournalled: Bool, _ restoration: inout StateRestoration) {
        let (now, shift) = (restoration.now.clock, restoration.shift)
        _ = removeRestored(session.digest)
        if session.slot(id: session.digest, shift: shift, at: now).deadline <= now {
            restoration.expired += 1
        } else if !restore(session, isJournalled: isJournalled, shift: shift, at: now) {
            restoration.refused += 1
        }
    }
}
