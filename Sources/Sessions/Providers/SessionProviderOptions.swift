public import Logging

/// What the maker of a registered provider gets to know.
public struct SessionProviderOptions: Sendable {
    /// The provider's own settings by name (`maximumSessions`, `url` …); each provider says which it knows.
    public var parameters: [String: String]
    /// Where the provider logs.
    public var logger: Logger

    /// Options without settings of the provider's own, or with these.
    public init(parameters: [String: String] = [:], logger: Logger = Logger(label: "galleta.sessions")) {
        self.parameters = parameters
        self.logger = logger
    }
}
