internal import GalletaPlatform

/// How many sessions without a user one client network may begin in a time.
///
/// A network is the first 24 bits of an IPv4 address, the first 56 of an IPv6 one: what one customer of a provider
/// easily has. The count is a bucket that refills evenly: `count` at once, then one each `period / count`.
public struct NewSessionLimit: Hashable, Sendable {
    /// Sessions; 1 to 1,000,000.
    public var count: Int
    /// In this time; 1 s to 1 day.
    public var period: Duration

    /// A limit of `count` sessions in `period`.
    public init(_ count: Int, per period: Duration) {
        self.count = count
        self.period = period
    }

    func validate() throws {
        guard (1...1_000_000).contains(count) else {
            throw ConfigurationError(
                field: "newSessionLimit.count",
                reason: "\(count) is not within 1 and 1,000,000",
                remedy: "give a number between them")
        }
        guard period >= .seconds(1), period <= .seconds(86_400) else {
            throw ConfigurationError(
                field: "newSessionLimit.period",
                reason: "\(period) is not within 1 second and 1 day",
                remedy: "give a time between them")
        }
    }
}
