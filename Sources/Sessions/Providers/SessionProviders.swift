internal import GalletaPlatform

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

    private static let makers = Locked<[String: Maker]>([:])

    /// Registers `maker` under `name`.
    public static func register(_ name: String, _ maker: @escaping Maker) {
        makers.withLock { $0[name] = maker }
    }

    /// The registered names, sorted.
    public static var names: [String] {
        makers.withLock { $0.keys.sorted() }
    }

    /// Makes the provider that is registered under `name`.
    ///
    /// - Throws: `SessionError` of code `unknownProvider`, with the names there are; or what the maker throws.
    public static func make(_ name: String, options: SessionProviderOptions) throws -> any SessionProvider {
        guard let maker = makers.withLock({ $0[name] }) else {
            let known = names
            let list = known.isEmpty ? "none is registered" : "registered: " + known.joined(separator: ", ")
            throw SessionError(
                .unknownProvider,
                "no session provider is named \"\(name)\" (\(list)); register it before the manager is made, "
                    + "for example with MemoryProvider.register()")
        }
        return try maker(options)
    }
}
