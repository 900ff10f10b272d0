public import Logging

public import struct GalletaPlatform.ByteString

/// How sessions behave. Every field has a default; `SessionManager` refuses values that cannot be.
///
/// A provider may want other defaults (``SessionProviderTraits/defaults``), and may not be able to keep what some fields ask
/// for: a field that was set counts, or is refused by its name; ``SessionManager/configuration`` has what came of it.
public struct SessionConfiguration: Sendable {
    /// The cookie's name. Default: `sid`.
    public var cookieName = "sid" { didSet { assigned.insert(.cookieName) } }
    /// Which cross-site requests carry the cookie. Default: `Lax`.
    public var sameSite = SessionCookie.SameSite.lax { didSet { assigned.insert(.sameSite) } }
    /// When the cookie is `Secure`. Default: when the request came by HTTPS.
    public var secure = SessionCookie.SecurePolicy.automatic { didSet { assigned.insert(.secure) } }
    /// The cookie's path. Default: `/`.
    public var cookiePath = "/" { didSet { assigned.insert(.cookiePath) } }
    /// The cookie's domain. Default: none, only the host that set it.
    public var cookieDomain: String? { didSet { assigned.insert(.cookieDomain) } }
    /// Whether the cookie is `Partitioned`. Default: false.
    public var isPartitioned = false
    /// True: the cookie outlives the browser's run, with a Max-Age that is renewed while the visitor is active.
    /// False: it ends with the browser's run. Default: true.
    public var isPersistent = true { didSet { assigned.insert(.isPersistent) } }

    /// How long a session lives without a visit that uses it; 1 s to 10 years. Default: 1 hour.
    public var idleTimeout = Duration.seconds(3600) { didSet { assigned.insert(.idleTimeout) } }
    /// How long a session lives whatever happens; at least the idle timeout, at most 10 years. Default: 7 days.
    public var absoluteTimeout = Duration.seconds(7 * 86_400) { didSet { assigned.insert(.absoluteTimeout) } }
    /// How long after "last seen" a visit is noted again, so that not every read is a write.
    ///
    /// Default (nil): the larger of 10 % of the idle timeout and 60 s, but at most a quarter of the idle timeout, so
    /// that short timeouts end no active session. At most half of the idle timeout.
    public var touchInterval: Duration? { didSet { assigned.insert(.touchInterval) } }
    /// How long the old id works after a routine rotation; 0 to 5 minutes. Default: 10 s. A log-in has no grace.
    public var rotationGrace = Duration.seconds(10) { didSet { assigned.insert(.rotationGrace) } }
    /// What one session may hold. Default: 64 KiB, 256 keys.
    public var limits = SessionLimits() { didSet { assigned.insert(.limits) } }
    /// How many sessions one user may have; at a log-in beyond it the user's other sessions end, the least recently
    /// seen first, so that no account fills the store. At least 1; nil: any number. Default: 100, where the provider finds
    /// sessions by their users.
    public var maximumSessionsPerUser: Int? = 100 { didSet { assigned.insert(.maximumSessionsPerUser) } }
    /// How many sessions without a user one client network may begin; beyond it the visitor gets 429 with Retry-After.
    ///
    /// Default: nil, any number. A store at its cap lets sessions that nobody came back to go first, so this is for
    /// stores without such an order, and to see a flood early. Behind a proxy that hides the clients' addresses all
    /// visitors are one network: leave it off.
    public var newSessionLimit: NewSessionLimit?
    /// Whether the session of a rotated id ends when the old id is used after its grace. Default: false, it is an event
    /// only: a browser that restores an old state does it too.
    public var endsSessionOnIDReuse = false
    /// Says whether a user's credential still is the one that the session began with: `stamp` is what `Session.logIn` was
    /// told of it, nil if it was told nothing. For false the session ends, and the visitor is nobody.
    ///
    /// Asked when a request first uses a session that belongs to a user; so a stamp that depends on the user's password
    /// logs the user out everywhere at a change of it, and closing an account does. Called on the workers' threads, once
    /// for each such request: be quick, and do not call back into the session. Default: nil, every session is as good as
    /// its lifetime.
    public var stampCheck: (@Sendable (_ user: ByteString, _ stamp: [UInt8]?) -> Bool)?

    /// The clock of the limit of new sessions. Default: the time since boot.
    public var clock = SessionClock.boot
    /// Where events that need attention are logged. Default: the label `galleta.sessions`.
    public var logger = Logger(label: "galleta.sessions")
    /// Called with each event, on the thread that met it: be quick, do not call back into the session.
    public var onEvent: (@Sendable (SessionEvent) -> Void)?

    /// The fields that were set, be it to their defaults.
    private var assigned: Set<Field> = []

    private enum Field {
        case cookieName, sameSite, secure, cookiePath, cookieDomain, isPersistent
        case idleTimeout, absoluteTimeout, touchInterval, rotationGrace, maximumSessionsPerUser, limits
    }

    /// The defaults.
    public init() {}

    /// Changes fields without setting them: a provider's own defaults still count for these.
    ///
    /// For programs that have other defaults than this library.
    public mutating func assume(_ change: (inout SessionConfiguration) -> Void) {
        let assigned = assigned
        change(&self)
        self.assigned = assigned
    }

    static let maximumTimeout = Duration.seconds(10 * 366 * 86_400)

    static func check(idleTimeout: Duration, named field: String) throws {
        guard idleTimeout >= .seconds(1), idleTimeout <= maximumTimeout else {
            throw ConfigurationError(
                field: field,
                reason: "\(idleTimeout) is not within 1 second and 10 years",
                remedy: "give a time between them")
        }
    }

    func validated() throws -> SessionCookie {
        try lifetime.validate()
        if let maximumSessionsPerUser, maximumSessionsPerUser < 1 {
            throw ConfigurationError(
                field: "maximumSessionsPerUser",
                reason: "\(maximumSessionsPerUser) is less than 1: nobody could log in",
                remedy: "give at least 1, or nil for any number")
        }
        try newSessionLimit?.validate()
        if let touchInterval, touchInterval < .zero || touchInterval > idleTimeout / 2 {
            throw ConfigurationError(
                field: "touchInterval",
                reason: "\(touchInterval) is not within 0 and half of the idle timeout (\(idleTimeout))",
                remedy: "give a time between them, or leave it out")
        }
        guard rotationGrace >= .zero, rotationGrace <= .seconds(300) else {
            throw ConfigurationError(
                field: "rotationGrace",
                reason: "\(rotationGrace) is not within 0 and 5 minutes",
                remedy: "give a time between them")
        }
        guard limits.bytes >= 256, limits.bytes <= 1 << 30 else {
            throw ConfigurationError(
                field: "limits.bytes",
                reason: "\(limits.bytes) is not within 256 bytes and 1 GiB",
                remedy: "give a size between them")
        }
        guard limits.keys >= 1, limits.keys <= 1 << 20 else {
            throw ConfigurationError(
                field: "limits.keys",
                reason: "\(limits.keys) is not within 1 and 1,048,576",
                remedy: "give a number between them")
        }
        return try SessionCookie(
            name: cookieName, sameSite: sameSite, secure: secure, path: cookiePath, domain: cookieDomain,
            isPartitioned: isPartitioned)
    }

    /// What comes of it with this provider.
    ///
    /// - Throws: `ConfigurationError` that names a field that was set and cannot be kept.
    func resolved(for provider: any SessionProvider) throws -> SessionConfiguration {
        var resolved = self
        let traits = provider.traits
        let defaults = traits.defaults
        func take<Value>(_ field: Field, _ path: WritableKeyPath<SessionConfiguration, Value>, _ value: Value?) {
            if let value, !assigned.contains(field) { resolved[keyPath: path] = value }
        }
        take(.cookieName, \.cookieName, defaults.cookieName)
        take(.sameSite, \.sameSite, defaults.sameSite)
        take(.secure, \.secure, defaults.secure)
        take(.cookiePath, \.cookiePath, defaults.cookiePath)
        take(.cookieDomain, \.cookieDomain, defaults.cookieDomain.map(Optional.some))
        take(.isPersistent, \.isPersistent, defaults.isPersistent)
        take(.idleTimeout, \.idleTimeout, defaults.idleTimeout)
        take(.absoluteTimeout, \.absoluteTimeout, defaults.absoluteTimeout)
        take(.touchInterval, \.touchInterval, defaults.touchInterval.map(Optional.some))
        take(.limits, \.limits, defaults.limits)
        if !traits.keepsRotationGrace {
            guard !assigned.contains(.rotationGrace) || rotationGrace == .zero else {
                throw Self.cannotKeep(
                    "rotationGrace", "lets a replaced id go on", "leave it out or set it to zero")
            }
            resolved.rotationGrace = .zero
        }
        if !(provider is any UserIndexedProvider) {
            guard !assigned.contains(.maximumSessionsPerUser) || maximumSessionsPerUser == nil else {
                throw Self.cannotKeep(
                    "maximumSessionsPerUser", "finds sessions by their users", "leave it out or set it to nil")
            }
            resolved.maximumSessionsPerUser = nil
        }
        if endsSessionOnIDReuse, !traits.remembersRotatedIDs {
            throw Self.cannotKeep("endsSessionOnIDReuse", "remembers replaced ids", "leave it out")
        }
        if let most = traits.limits {
            if limits.bytes > most.bytes {
                throw Self.cannotKeep(
                    "limits.bytes", "keeps sessions of \(limits.bytes) bytes", "give at most \(most.bytes)")
            }
            if limits.keys > most.keys {
                throw Self.cannotKeep(
                    "limits.keys", "keeps sessions of \(limits.keys) keys", "give at most \(most.keys)")
            }
        }
        return resolved
    }

    /// Says what of the cookie, and of the lifetime, is other than another program has it that shares the sessions.
    func warn(of traits: SessionProviderTraits) {
        guard traits.sharesCookie else { return }
        let others = traits.defaults
        func differs(_ field: String, _ ours: String?, _ theirs: String?, _ result: String) {
            guard ours != theirs else { return }
            logger.warning(
                "\(field) is \(ours ?? "none"), but \(theirs ?? "none") where the sessions are shared: \(result)")
        }
        let twice = "a browser keeps two cookies, and which it sends where is chance"
        differs("cookieName", cookieName, others.cookieName ?? cookieName, "neither side sees the other's visitors")
        differs("cookiePath", cookiePath, others.cookiePath ?? "/", twice)
        differs("cookieDomain", cookieDomain, others.cookieDomain, twice)
        if let theirs = others.idleTimeout, idleTimeout > theirs {
            differs("idleTimeout", "\(idleTimeout)", "\(theirs)", "sessions end by the shorter one")
        }
    }

    private static func cannotKeep(_ field: String, _ what: String, _ remedy: String) -> ConfigurationError {
        ConfigurationError(
            field: field,
            reason: "the provider is none that \(what)",
            remedy: "\(remedy), or choose another provider")
    }

    /// The fields that say how long sessions live, as they count now: for a line at the start and for statistics.
    public var effectiveSettings: [(name: String, value: String)] {
        [
            ("idleTimeout", "\(idleTimeout)"), ("absoluteTimeout", "\(absoluteTimeout)"),
            ("touchInterval", "\(effectiveTouchInterval)"), ("rotationGrace", "\(rotationGrace)"),
            ("maximumSessionsPerUser", maximumSessionsPerUser.map(String.init) ?? "any number"),
        ]
    }

    var lifetime: SessionLifetime {
        SessionLifetime(idleTimeout: idleTimeout, absoluteTimeout: absoluteTimeout)
    }

    var effectiveTouchInterval: Duration {
        touchInterval ?? min(max(idleTimeout / 10, .seconds(60)), idleTimeout / 4)
    }
}
