// What a request's cookies lead to, at the first use of its session.
extension SessionState {
    /// Reads the store once, and once more after a roll-back.
    mutating func load() throws {
        if isStale { try reload() }
        guard phase == .unread else { return }
        isUsed = true
        switch candidates.count {
        case 0:
            beginNew()
        case 1 where prefetched == nil && !candidates.mayChangeSession && candidates.mayWait:
            let candidate = SessionHandle(candidates[0])
            switch try ask({ try $0.lookUp(candidate) }) {
            case .found(let record):
                if try !take(record, of: candidate.id) { beginNew() }
            case .retired(let retirement):
                beginNew()
                try noteReuse(retirement)
            case .none:
                beginNew()
            }
        default:
            try loadFirst()
        }
    }

    /// Takes the first live session that the candidates lead to.
    private mutating func loadFirst() throws {
        let (candidates, prefetched) = (candidates, prefetched)
        // An error counts once: who asks again asks the store.
        self.prefetched = nil
        let findings = try ask { try prefetched?.get() ?? $0.lookUp(candidates) }
        for (position, finding) in findings.enumerated() {
            guard case .found(let record) = finding else { continue }
            let candidate = candidates[position]
            if phase == .unread { _ = try take(record, of: candidate) } else { noteSecond(record, of: candidate) }
        }
        if !others.isEmpty { manager.emit(.secondSession) }
        guard phase == .unread else { return }
        beginNew()
        for case .retired(let retirement) in findings { try noteReuse(retirement) }
    }

    private mutating func noteReuse(_ retirement: SessionRetirement) throws {
        try manager.noteReuse(retirement)
        try noteJournal()
    }

    /// Makes the record this request's session; false if it may not go on.
    private mutating func take(_ record: SessionRecord, of candidate: SessionID) throws -> Bool {
        guard try !manager.revoke(record, of: candidate) else { return false }
        phase = .present
        id = candidate
        adopt(record)
        return true
    }

    private mutating func beginNew() {
        isNew = true
        begin(with: manager.configuration.lifetime)
    }

    /// A second live session among the candidates: one of the two was planted, or left behind on another path.
    private mutating func noteSecond(_ record: SessionRecord, of candidate: SessionID) {
        // The old id of a rotation leads to the same session.
        let other = record.successor ?? candidate
        if other != id, manager.isCurrent(record.values) { others.append(other) }
    }

    private mutating func reload() throws {
        let handle = handle
        let finding = try ask { try $0.lookUp(handle) }
        isStale = false
        if case .found(let record) = finding { adopt(record) } else { lose() }
    }
}
