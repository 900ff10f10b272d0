internal import GalletaPlatform
package import MemorySessions

extension MemoryStore: StateContent {
    package var stateKind: SnapshotHeader.Kind { .php }
    package var stateName: String { "sessions of PHP" }
    package var stateTime: SnapshotTime { SnapshotTime(wall: now) }
    package var sessionCount: Int { state.withLock { $0.table.count } }
    package var evictionCount: Int { state.withLock { $0.table.evictions } }

    /// Sessions that are copied under the lock at a time.
    private static let slice = 64
    /// Encoded bytes that are written at once.
    private static let pieceCount = 256 << 10

    package func restore(_ record: StateRecord, isJournalled: Bool, _ restoration: inout StateRestoration) -> Bool {
        guard let entry = MemoryEntry(record, configuration.owner) else { return false }
        let now = now
        state.withLock { state in
            switch entry {
            case .session(let session): put(session)
            case .removal(let digest): _ = state.table.remove(digest, at: now)
            case .rotation(let old, let session):
                _ = state.table.remove(old, at: now)
                put(session)
            }

            func put(_ session: MemoryTable.Session) {
                if session.deadline <= now {
                    _ = state.table.remove(session.digest, at: now)
                    restoration.expired += 1
                } else if !state.table.restore(session, exceedsCaps: isJournalled && session.owner != nil, at: now) {
                    restoration.refused += 1
                }
            }
        }
        return true
    }

    package func endRestoring() {
        // What was put in until now is in the files.
        state.withLock { $0.table.journal = stateJournal }
    }

    /// All sessions slice by slice, and then those that have changed meanwhile: one that got another id behind the place that was
    /// looked at would else be missing.
    package func write(
        _ header: SnapshotHeader, while shouldGoOn: () -> Bool, to sink: SnapshotSink
    ) throws(StateFailure) -> StateSummary? {
        var encoder = SnapshotEncoder(header)
        func flush(atLeast count: Int = 1) throws(StateFailure) {
            guard encoder.output.count >= count else { return }
            try sink(encoder.output)
            encoder.output.removeAll(keepingCapacity: true)
        }
        state.withLock { $0.table.changes = [] }
        defer { state.withLock { $0.table.changes = nil } }
        var place = 0
        while place < state.withLock({ $0.table.slotCount }) {
            guard shouldGoOn() else { return nil }
            let part = place..<(place + Self.slice)
            for session in state.withLock({ $0.table.sessions(inSlots: part) }) {
                encoder.appendSession { session.append(to: &$0) }
                try flush(atLeast: Self.pieceCount)
            }
            place = part.upperBound
        }
        // However many there are all the time: more and more of them at a time, so that it comes to an end.
        var size = Self.slice
        while true {
            guard shouldGoOn() else { return nil }
            // The last few at one moment with the end.
            let (changed, isLast) = takeChanges(size)
            for (digest, session) in changed {
                if let session {
                    encoder.appendSession { session.append(to: &$0) }
                } else {
                    for _ in 0..<2 { encoder.appendRemoval { $0 += digest.bytes } }
                }
                try flush(atLeast: Self.pieceCount)
            }
            if isLast { break }
            size *= 2
        }
        encoder.appendEnd()
        try flush()
        return StateSummary(sessions: sessionCount)
    }

    /// Some of what has changed, as it is now; nil for what is not there any more.
    private func takeChanges(
        _ count: Int
    ) -> (changed: [(digest: IDDigest, session: MemoryTable.Session?)], isLast: Bool) {
        let now = now
        return state.withLock { state in
            let all = state.table.changes ?? []
            let part = all.prefix(count)
            state.table.changes?.subtract(part)
            return (part.map { ($0, state.table.find($0, at: now)) }, all.count == part.count)
        }
    }
}
