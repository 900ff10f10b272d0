public import Logging

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
