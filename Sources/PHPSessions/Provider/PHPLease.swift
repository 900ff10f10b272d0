internal import Sessions

/// The lock of a session that a request holds from its look-up to its end, however it ends.
final class PHPLease: @unchecked Sendable {
    // Safe: a request's calls come one at a time.
    private let record: any PHPSessionRecord
    private let id: SessionID

    init(_ record: any PHPSessionRecord, of id: SessionID) {
        self.record = record
        self.id = id
    }

    deinit {
        record.release()
    }

    /// Nil when it was let go of, or the session has another id by now.
    func record(of id: SessionID) -> (any PHPSessionRecord)? { id == self.id && record.isHeld ? record : nil }
}

extension SessionHandle {
    /// The session itself, where the request that calls has its lock.
    var heldRecord: (any PHPSessionRecord)? { (lease as? PHPLease)?.record(of: id) }
}
