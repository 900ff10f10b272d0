internal import GalletaPlatform
internal import Sessions

/// The lock of a session that a request holds from its look-up to its end, however it ends.
///
/// Threading: any thread; child tasks of a request make their calls side by side.
final class PHPLease: @unchecked Sendable {
    // Safe: all use of the record is within the lock. It is held for as long as a call takes, with what the store does in it:
    // what one call has read is what it changes.
    private let record: any PHPSessionRecord
    private let lock = Locked(false)
    private let id: SessionID

    init(_ record: any PHPSessionRecord, of id: SessionID) {
        self.record = record
        self.id = id
    }

    deinit {
        end()
    }

    /// Runs one call on the session; nil when it was let go of, or has another id by now.
    func withRecord<Result>(
        of id: SessionID, _ body: (any PHPSessionRecord) throws -> Result
    ) rethrows -> Result? {
        guard id == self.id else { return nil }
        return try lock.withLock { _ in record.isHeld ? try body(record) : nil }
    }

    /// Lets the session go, between two calls. Later ones take the lock for themselves.
    func end() {
        lock.withLock { _ in record.release() }
    }
}

extension SessionHandle {
    /// That of the request that calls, if it has one.
    var phpLease: PHPLease? { lease as? PHPLease }
}
