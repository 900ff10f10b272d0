/// What a provider can keep of what a `SessionConfiguration` may ask for, and what it wants where nothing is asked for.
///
/// A manager refuses at its start, by the field's name, what was *set* and cannot be kept. The conformance suite skips the
/// cases about what cannot be kept, and says why.
public struct SessionProviderTraits: Sendable {
    /// True when the sessions are known to this process only, so that a second one on the same socket would lose them.
    /// Default: false.
    public var isLocalToProcess = false
    /// Whether each session may have timeouts of its own (`Session.setLifetime`). Default: true.
    public var keepsLifetimes = true
    /// Whether a replaced id goes on for a grace (`SessionConfiguration.rotationGrace`). Default: true.
    public var keepsRotationGrace = true
    /// Whether a replaced id is remembered for at least a minute after its grace, so that its use shows a stolen cookie
    /// (`SessionConfiguration.endsSessionOnIDReuse`). Default: true.
    public var remembersRotatedIDs = true
    /// Whether a session is gone at the very instant of its deadline, not a while later. Default: true.
    public var hasExactDeadlines = true
    /// Whether lists of sessions (``UserIndexedProvider``, ``ListingProvider``) have the application's values. Default: true;
    /// not of a store that encrypts them.
    public var listsValues = true
    /// Whether bytes are told from text, and an empty object from an empty array: PHP knows one kind for both. Default: true.
    public var keepsKinds = true
    /// The most that a session may hold (`SessionConfiguration.limits`), because a larger one could not be read again.
    /// Default: nil, whatever is asked for.
    public var limits: SessionLimits?
    /// Whether others may have a session for long, so that a request is to wait for it before its handler, where no worker is held:
    /// until it is known that its route uses no session. Default: false.
    public var isLockedByOthers = false
    /// Whether another program gives the same visitors the same cookie, for the same sessions, in the way that ``defaults`` says:
    /// a manager warns of what is set otherwise. Default: false.
    public var sharesCookie = false
    /// What the provider wants where the configuration says nothing.
    public var defaults = SessionDefaults()

    /// Everything can be kept, and nothing is wanted.
    public init() {}
}

/// What a provider wants for fields of a `SessionConfiguration` that were not set; nil is the library's own default.
public struct SessionDefaults: Sendable {
    /// For `SessionConfiguration.cookieName`.
    public var cookieName: String?
    /// For `SessionConfiguration.sameSite`.
    public var sameSite: SessionCookie.SameSite?
    /// For `SessionConfiguration.secure`.
    public var secure: SessionCookie.SecurePolicy?
    /// For `SessionConfiguration.cookiePath`.
    public var cookiePath: String?
    /// For `SessionConfiguration.cookieDomain`.
    public var cookieDomain: String?
    /// For `SessionConfiguration.isPersistent`.
    public var isPersistent: Bool?
    /// For `SessionConfiguration.idleTimeout`.
    public var idleTimeout: Duration?
    /// For `SessionConfiguration.absoluteTimeout`.
    public var absoluteTimeout: Duration?
    /// For `SessionConfiguration.touchInterval`.
    public var touchInterval: Duration?
    /// For `SessionConfiguration.limits`.
    public var limits: SessionLimits?

    /// Nothing is wanted.
    public init() {}
}
