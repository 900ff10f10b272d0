package import GalletaPlatform

/// Resolves a request's cookie to a session, by way of a provider.
///
///     MemoryProvider.register()
///     let manager = try SessionManager(provider: "memory", cookieName: "sid", maxLifetime: .seconds(3600))
///     var candidates = SessionIDCandidates()
///     manager.collectIDs(from: cookieHeader, into: &candidates)
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
    let limiter: NewSessionLimiter
    /// The provider, if it finds sessions by their users.
    let userIndex: (any UserIndexedProvider)?
    /// As the provider's traits have it.
    package let isLockedByOthers: Bool
    /// The provider, if its calls can be awaited.
    package let asyncProvider: (any AsyncSessionProvider)?
    /// The provider, if it has a journal.
    let journal: (any JournalingProvider)?
    let idFormat: SessionIDFormat
    /// What the kinds of stored values mean.
    let valueSource: ValueDecoder.Source

    /// A manager whose provider was registered under a name.
    ///
    /// - Parameters:
    ///   - provider: The name, for example `"memory"`.
    ///   - cookieName: The cookie's name, a token.
    ///   - maxLifetime: How long a session lives without a visit (the idle timeout). The absolute timeout is 7 days, or
    ///     as long as `maxLifetime` if that is longer.
    /// - Throws: `ConfigurationError` that names the field.
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
    /// - Throws: `ConfigurationError` that names the field, or what the provider throws.
    public convenience init(
        provider: String, parameters: [String: String] = [:], configuration: SessionConfiguration
    ) throws {
        let options = SessionProviderOptions(parameters: parameters, logger: configuration.logger)
        try self.init(provider: provider, options: options, configuration: configuration)
    }

    /// A manager whose provider was registered under a name, with a configuration.
    ///
    /// - Parameters:
    ///   - provider: The name, for example `"redis"`.
    ///   - options: What the provider gets to know.
    ///   - configuration: The behaviour.
    /// - Throws: `ConfigurationError` that names the field, or what the provider throws.
    public convenience init(
        provider: String, options: SessionProviderOptions, configuration: SessionConfiguration
    ) throws {
        _ = try configuration.validated()
        let provider = try SessionProviders.make(provider, options: options)
        do {
            try self.init(provider: provider, configuration: configuration)
        } catch {
            provider.close()
            throw error
        }
    }

    /// A manager over a provider of the caller's.
    ///
    /// - Throws: `ConfigurationError` that names the field.
    public init(provider: any SessionProvider, configuration: SessionConfiguration = SessionConfiguration()) throws {
        _ = try configuration.validated()
        let configuration = try configuration.resolved(for: provider)
        cookie = try configuration.validated()
        configuration.warn(of: provider.traits)
        self.provider = provider
        self.configuration = configuration
        touchNanoseconds = configuration.effectiveTouchInterval.nanoseconds
        isPersistent = configuration.isPersistent
        limits = configuration.limits
        userIndex = provider as? any UserIndexedProvider
        isLockedByOthers = provider.traits.isLockedByOthers
        asyncProvider = provider as? any AsyncSessionProvider
        let journal = provider as? any JournalingProvider
        self.journal = journal?.journalEnd == nil ? nil : journal
        idFormat = provider.idFormat
        valueSource = provider.traits.keepsKinds ? .exact : .php
        limiter = NewSessionLimiter(configuration.newSessionLimit, clock: configuration.clock)
    }

    /// Adds the ids of one `Cookie` header's value to a request's candidates, in the form that the provider's ids have.
    ///
    /// - Parameters:
    ///   - header: The value of the header.
    ///   - candidates: Those of the headers before.
    public func collectIDs(from header: UnsafeRawBufferPointer, into candidates: inout SessionIDCandidates) {
        if let parse = idFormat.parse {
            candidates.collect(from: header, named: cookie, firstOnly: idFormat.takesFirstCookieOnly, parse)
        } else {
            candidates.collect(from: header, named: cookie)
        }
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
        open(candidates, isSecure: isSecure, client: client, isForHead: isForHead, stopwatch: nil)
    }

    /// As ``open(_:isSecure:client:isForHead:)``.
    ///
    /// - Parameter stopwatch: Measures what the session asks of the store.
    package func open(
        _ candidates: SessionIDCandidates, isSecure: Bool, client: String?, isForHead: Bool, stopwatch: Stopwatch?
    ) -> Session {
        Session(
            manager: self, candidates: candidates, isSecure: isSecure, client: client, isForHead: isForHead,
            stopwatch: stopwatch)
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

    /// Awaits a call of the provider; see ``store(_:)``.
    func awaiting<Result: Sendable>(
        _ provider: any AsyncSessionProvider,
        _ body: @Sendable (any AsyncSessionProvider) async throws -> Result
    ) async throws -> Result {
        do {
            return try await body(provider)
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
    public var limitsNewSessions: Bool { limiter.isOn }

    /// Has another limit of new sessions count from now on, in place of `SessionConfiguration.newSessionLimit`; nil is none. All
    /// networks begin anew.
    ///
    /// - Throws: `ConfigurationError` that names the field; nothing has changed then.
    public func changeNewSessionLimit(to limit: NewSessionLimit?) throws {
        try limit?.validate()
        limiter.change(to: limit)
    }

    /// - Throws: `SessionError` of code `tooManySessions` when the client's network has begun its share.
    func admitNewSession(from client: String?) throws(SessionError) {
        guard let client, let wait = limiter.admit(client) else { return }
        emit(.newSessionRefused)
        throw SessionError(
            .tooManySessions, "the client's network has begun as many sessions as it may (newSessionLimit)",
            retryAfter: max(.seconds(1), wait))
    }

    /// Notes the use of an id that was rotated away: two have known it.
    func noteReuse(_ retirement: SessionRetirement) throws {
        // A request that was on its way during a log-in is no thief.
        guard retirement.age > configuration.rotationGrace else { return }
        emit(.idReused(age: retirement.age))
        guard configuration.endsSessionOnIDReuse, let successor = retirement.successor else { return }
        if try store({ try $0.destroy(SessionHandle(successor)) }) { emit(.destroyed) }
    }
}
