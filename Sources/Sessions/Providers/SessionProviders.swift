internal import GalletaPlatform
public import Logging

/// The providers that can be chosen by name, as `database/sql` drivers are.
///
///     MemoryProvider.register()
///     let sessions = try SessionManager(provider: "memory", maxLifetime: .seconds(3600))
///
/// Registering a name again replaces the maker: the last one counts, for managers made from then on.
/// Thread-safe.
public enum SessionProviders {
    /// Makes a provider from its options.
    public typealias Maker = @Sendable (SessionProviderOptions) throws -> any SessionProvider

    private struct Entry: Sendable {
        var isLocalToProcess: Bool
        var maker: Maker
    }

    private static let makers = Locked<[String: Entry]>([:])

    /// Registers `maker` under `name`.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - isLocalToProcess: What the provider's traits will say, for who must know before it is made: a second process on one
    ///     socket is refused before a large store is read.
    ///   - maker: Makes the provider.
    public static func register(_ name: String, isLocalToProcess: Bool = false, _ maker: @escaping Maker) {
        makers.withLock { $0[name] = Entry(isLocalToProcess: isLocalToProcess, maker: maker) }
    }

    /// Whether the provider of this name keeps sessions that are known to one process only; false for an unknown name.
    public static func areLocalToProcess(_ name: String) -> Bool {
        makers.withLock { $0[name]?.isLocalToProcess ?? false }
    }

    /// The registered names, sorted.
    public static var names: [String] {
        makers.withLock { $0.keys.sorted() }
    }

    /// Makes the provider that is registered under `name`.
    ///
    /// - Throws: `ConfigurationError` for an unknown name, with the names there are; or what the maker throws.
    public static func make(_ name: String, options: SessionProviderOptions) throws -> any SessionProvider {
        guard let maker = makers.withLock({ $0[name]?.maker }) else {
            let known = names
            let list = known.isEmpty ? "none is registered" : "registered: " + known.joined(separator: ", ")
            throw ConfigurationError(
                field: "provider", reason: "no session provider is named \"\(name)\" (\(list))",
                remedy: "register it before the manager is made, for example with MemoryProvider.register()")
        }
        return try maker(options)
    }
}

/// What the maker of a registered provider gets to know.
public struct SessionProviderOptions: Sendable {
    /// The provider's own settings by name (`maximumSessions`, `url` …); each provider says which it knows.
    public var parameters: [String: String]
    /// Where the provider logs.
    public var logger: Logger
    /// True: nobody will use the provider; it is made to see whether it could be. It leaves nothing behind, and leaves alone
    /// what another process may be using, but looks whether its files can be had and its server answers.
    public var isTrial: Bool
    /// How many calls may come at once: as many as workers, for a provider with connections. Nil: not known.
    public var concurrency: Int?

    /// Options without settings of the provider's own, or with these.
    public init(
        parameters: [String: String] = [:], logger: Logger = Logger(label: "galleta.sessions"), isTrial: Bool = false,
        concurrency: Int? = nil
    ) {
        self.parameters = parameters
        self.logger = logger
        self.isTrial = isTrial
        self.concurrency = concurrency
    }
}
