/// A call of the store that is awaited without the lock, and what it was made from.
struct SessionCall: Sendable {
    enum Kind: Sendable {
        case commit(SessionPatch, expecting: UInt64?)
        case confirm
        case touch
        case create(SessionDraft)
    }

    let kind: Kind
    let session: SessionHandle
    /// The view's count of changes then.
    let seen: Int
    /// What was pending and is in the call; it is pending again if the call fails.
    var pending: SessionPatch?
    /// The call is a commit's: the session is closed before it, and opened again if it fails.
    var isClosing = false
}

extension SessionState {
    /// The call that the commit takes, if it takes one. From now on changes go to the store at once.
    mutating func beginCommit(touching: Bool) throws -> SessionCall? {
        guard !isCommitted, let due = dueCall(touching: touching) else { return nil }
        var call = try call(due)
        call.isClosing = true
        isCommitted = true
        return call
    }

    /// The call that bringing the pending changes to the store takes, if it takes one.
    mutating func beginSave() throws -> SessionCall? {
        switch phase {
        case .absent where !view.isEmpty: try call(.create)
        case .present where !patch.isEmpty || lifetime != nil: try call(.change(touching: false))
        default: nil
        }
    }

    private mutating func call(_ due: DueCall) throws -> SessionCall {
        switch due {
        case .create: return SessionCall(kind: .create(try draft()), session: handle, seen: changeCount)
        case .confirm: return SessionCall(kind: .confirm, session: handle, seen: changeCount)
        case .touch: return SessionCall(kind: .touch, session: handle, seen: changeCount)
        case .change(let touching):
            let pending = takePending()
            let kind = SessionCall.Kind.commit(outgoing(pending, touching: touching), expecting: nil)
            return SessionCall(kind: kind, session: handle, seen: changeCount, pending: pending)
        }
    }

    /// What becomes of a change that was computed from the view of `seen`.
    enum UpdateStep {
        /// It is made.
        case done
        /// It must be computed anew.
        case overtaken
        case call(SessionCall)
    }

    mutating func beginUpdate(_ change: SessionPatch.Change, of key: SessionKey, seen: Int) throws -> UpdateStep {
        guard changeCount == seen else { return .overtaken }
        guard phase == .present, !patch.contains(key) else {
            try self.change(change)
            return .done
        }
        var single = SessionPatch()
        single.replace(change)
        let kind = SessionCall.Kind.commit(outgoing(single, touching: false), expecting: version)
        return .call(SessionCall(kind: kind, session: handle, seen: seen))
    }

    /// Whether a call was about the session as it still is: it may have been ended or given another id meanwhile.
    func concerns(_ call: SessionCall) -> Bool { phase == .present && id == call.session.id }

    /// Takes over what came of changes; false when they are to be made anew, on the record as it is.
    mutating func land(
        _ outcome: SessionCommitOutcome, of changes: SessionPatch, expecting expected: UInt64?, _ call: SessionCall
    ) throws -> Bool {
        isWritten = isWritten || expected != nil
        guard concerns(call) else {
            switch outcome {
            case .overLimit(let error): throw error
            // By its old id: it has another one.
            case .gone where phase == .present, .conflict where phase == .present:
                isStale = true
                abandon(call)
                return false
            default: return true
            }
        }
        guard changeCount == call.seen else {
            // The view has changed since the call: what came of it may be older, so the store is asked before the next use.
            defer { if phase == .present { isStale = true } }
            if case .conflict = outcome { return false }
            return try take(outcome, of: changes, expecting: expected)
        }
        return try take(outcome, of: changes, expecting: expected)
    }

    /// After a call that failed: as if it had not been made.
    mutating func abandon(_ call: SessionCall) {
        if let pending = call.pending, phase == .present { putBack(pending) }
        if call.isClosing { isCommitted = false }
    }
}
