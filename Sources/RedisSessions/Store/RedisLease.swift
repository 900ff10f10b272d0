internal import GalletaPlatform
internal import Sessions

/// What a request knows of its session from the look-up: the values, of which a commit sends back only what others have
/// changed, and the user, whose index a change of it concerns. A guess, which the scripts check.
final class RedisLease: Sendable {
    struct Base {
        var id: SessionID
        /// The id's.
        var digest: [UInt8]
        var version: UInt64
        var values: SessionValues
    }

    private let base: Locked<Base>

    init(_ base: Base) {
        self.base = Locked(base)
    }

    /// What is known, if it is about this id.
    func known(of id: SessionID) -> Base? {
        base.withLock { $0.id == id ? $0 : nil }
    }

    func update(_ base: Base) {
        self.base.withLock { $0 = base }
    }
}

extension SessionHandle {
    var redis: RedisLease? { lease as? RedisLease }

    /// What the request knows of the session.
    var known: RedisLease.Base? { redis?.known(of: id) }

    /// The id's digest, computed once a request.
    var digest: [UInt8] { known?.digest ?? id.digest }

    /// The user whom the session is thought to belong to.
    var knownUser: RedisUser? { known?.values.user.map(RedisUser.init) }
}
