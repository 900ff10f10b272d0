internal import GalletaPlatform

/// Resolves a request's cookie to a session, by way of a provider.
///
///     MemoryProvider.register()
///     let manager = try SessionManager(provider: "memory", cookieName: "sid", maxLifetime: .seconds(3600))
///     let session = manager.open(candidates, isSecure: request.isSecure)   // nothing is read yet
///     let visits = try session.update("visits", default: 0) { $0 += 1; return $0 }
///     let commit = try session.commit()                                    // before the first header byte
///
/// One a process and cookie is enough. Immutable and thread-safe.
public final class SessionManager: Sendable {
    /// The store.
    public let provider: any SessionProvider
    /// The behaviour, as checked.
    public let configuration: SessionConfiguration
    /// The cookie that carries the id.
    public let cookie: SessionCookie

    let touchNanoseconds: Int64
    let isPersistent: Bool
    let limits: SessionLimits
    let throttle = LogThrottle()
    let counters = SessionCounters()
    let limiter: NewSessionLimiter?

    /// A manager whose provider was registered under a name.
    ///
    /// - Parameters:
    ///   - provider: The name, for example `"memory"`.
    ///   - cookieName: The cookie's name, a token.
    ///   - maxLifetime: How long a session lives without a visit (the idle timeout). The absolute timeout is 7 days, or
    ///     as long as `maxLifetime` if that is longer.
    /// - Throws: `SessionError` of code `unknownProvider` or `invalidConfiguration`.
    public convenience init(provider: String, cookieName: String = "sid", maxLifetime: Duration) throws {
        try SessionConfiguration.check(idleTimeout: maxLifetime, named: "maxLifetime")
        var configuration = SessionConfiguration()
        configuration.cookieName = cookieName
        configuration.idleTimeout = maxLifetime
        configuration.absoluteTimeout = max(configuration.absoluteTimeout, maxLifetime)
        try self.init(provider: provider, configuration: configuration)
    }

    /// A manager whose provider was registered under a name, with a configuration.
    ///
    /// - Parameters:
    ///   - provider: The name, for example `"memory"`.
    ///   - parameters: The provider's own settings, by name.
    ///   - configuration: The behaviour.
    /// - Throws: `SessionError` of code `unknownProvider` or `invalidConfiguration`, or what the provider throws.
    public convenience init(
        provider: String, parameters: [String: String] = [:], configuration: SessionConfiguration
    ) throws {
        _ = try configuration.validated()
        let options = SessionProviderOptions(parameters: parameters, logger: configuration.logger)
        try self.init(
            provider: try SessionProviders.make(provider, options: options), configuration: configuration)
    }

    /// A manager over a provider of the caller's.
    ///
    /// - Throws: `SessionError` of code `invalidConfiguration` that names the field.
    public init(provider: any SessionProvider, configuration: SessionConfiguration = SessionConfiguration()) throws {
        cookie = try configuration.validated()
        self.provider = provider
        self.configuration = configuration
        touchNanoseconds = configuration.effectiveTouchInterval.nanoseconds
        isPersistent = configuration.isPersistent
        limits = configuration.limits
        limiter = configuration.newSessionLimit.map { NewSessionLimiter($0, clock: configuration.clock) }
    }

    /// The session that a request's cookies name: a view that reads the store when it is first used.
    ///
    /// - Parameters:
    ///   - candidates: The ids that the `Cookie` headers offer; the first that the store knows counts.
    ///   - isSecure: Whether the request came by HTTPS, by the web server's word.
    ///   - client: The client's address, for `SessionConfiguration.newSessionLimit`; nil is not limited.
    ///   - isForHead: The request's method is HEAD: flash values are left for who will see them.
    public func open(
        _ candidates: SessionIDCandidates, isSecure: Bool, client: String? = nil, isForHead: Bool = false
    ) -> Session {
        Session(
            manager: self, candidates: candidates, isSecure: isSecure, client: client, isForHead: isForHead)
    }

    /// Calls the provider; whatever it throws comes out as a `SessionStoreError`, and is an event.
    @inline(__always)
    func store<Result>(_ body: (any SessionProvider) throws -> Result) throws -> Result {
        do {
            return try body(provider)
        } catch {
            throw wrap(error)
        }
    }

    private func wrap(_ error: any Error) -> SessionStoreError {
        let failure =
            error as? SessionStoreError ?? SessionStoreError(.unavailable, "the provider failed", underlying: error)
        emit(.storeFailed(failure))
        return failure
    }
}

// MARK: New sessions

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
