internal import GalletaPlatform

extension Session {
    /// Gives this session timeouts of its own, at the commit: "keep me logged in", or a short session for a terminal.
    ///
    /// They count from the last visit and from the session's beginning, as the configuration's do. Call it after
    /// `logIn` or `destroy` if either happens in the same request; those end what was set before them.
    ///
    /// - Parameters:
    ///   - idleTimeout: How long the session lives without a visit; 1 s to 10 years.
    ///   - absoluteTimeout: How long it lives whatever happens; at least the idle timeout, at most 10 years. Default:
    ///     the configuration's, or the idle timeout if that is longer.
    /// - Throws: `ConfigurationError` that names the timeout, or `SessionError` of code `unsupported` where the provider keeps
    ///   one lifetime for all sessions.
    public func setLifetime(idleTimeout: Duration, absoluteTimeout: Duration? = nil) throws {
        let absoluteTimeout = absoluteTimeout ?? max(manager.configuration.absoluteTimeout, idleTimeout)
        let lifetime = SessionLifetime(idleTimeout: idleTimeout, absoluteTimeout: absoluteTimeout)
        try lifetime.validate()
        guard manager.provider.traits.keepsLifetimes else {
            throw SessionError(
                .unsupported,
                "the provider keeps one lifetime for all sessions; set idleTimeout and absoluteTimeout of the configuration"
            )
        }
        try loaded { state in
            state.lifetime = lifetime
            if state.isCommitted, state.phase == .present { try state.storePending() }
        }
    }

    /// Makes this request none of the visitor's doing: it reads and writes, but does not put off the session's end.
    ///
    /// For pages that ask by themselves again and again, which would keep an abandoned session alive for ever. A route
    /// can say so where it is added (`touchesSession: false`).
    public func skipTouch() {
        touches = false
    }

    /// Brings the changes so far to the store now, for a handler that must know that they are kept: before it sends a
    /// message, say, or sets off other work.
    ///
    /// The commit at the end follows all the same. A handler that throws afterwards does not undo what was saved.
    ///
    /// - Returns: What came of it.
    /// - Throws: As ``commit()``.
    @discardableResult
    public func save() throws -> SaveOutcome {
        try loaded { try $0.save() }
    }

    /// What came of ``save()``.
    public enum SaveOutcome: Hashable, Sendable {
        /// The store has the changes.
        case saved
        /// There was nothing to bring.
        case unchanged
        /// The session vanished during the request (a log-out elsewhere, its end); nothing is kept.
        case lost
    }
}

extension SessionLifetime {
    func validate() throws {
        try SessionConfiguration.check(idleTimeout: idleTimeout, named: "idleTimeout")
        guard absoluteTimeout >= idleTimeout, absoluteTimeout <= SessionConfiguration.maximumTimeout else {
            throw ConfigurationError(
                field: "absoluteTimeout",
                reason: "\(absoluteTimeout) is not within the idle timeout (\(idleTimeout)) and 10 years",
                remedy: "give a time between them")
        }
    }
}
