internal import GalletaPlatform

extension SessionManager {
    /// Whether `open` is to be told where a request comes from.
    public var limitsNewSessions: Bool { limiter != nil }

    /// - Throws: `SessionError` of code `tooManySessions` when the client's network has begun its share.
    func admitNewSession(from client: String?) throws(SessionError) {
        guard let limiter, let client, let wait = limiter.admit(client) else { return }
        emit(.newSessionRefused)
        throw SessionError(
            .tooManySessions, "the client's network has begun as many sessions as it may (newSessionLimit)",
            retryAfter: max(.seconds(1), wait))
    }

    /// Looks whether one of these ids, which lead nowhere, was rotated away: then two have known it.
    func lookForReuse(of candidates: SessionIDCandidates) throws {
        for position in 0..<candidates.count {
            let id = candidates[position]
            guard let retirement = try store({ try $0.retirement(of: id) }) else { continue }
            // A request that was on its way during a log-in is no thief.
            guard retirement.age > configuration.rotationGrace else { continue }
            emit(.idReused(age: retirement.age))
            guard configuration.endsSessionOnIDReuse, let successor = retirement.successor else { continue }
            if try store({ try $0.destroy(successor) }) { emit(.destroyed) }
        }
    }
}
