internal import Sessions

/// One behaviour that every provider must have.
public struct ConformanceCase: Sendable, CustomStringConvertible {
    /// What became of a case that did not fail.
    public enum Outcome: Hashable, Sendable {
        /// The provider behaves as it must.
        case passed
        /// The provider or the fixture lacks what the case needs; the text says what.
        case skipped(String)
    }

    /// The behaviour, as a sentence.
    public let name: String
    /// The cap of sessions that the cases about it ask for.
    static let cap = 16

    private let needs: [Capability]
    private let body: @Sendable (ConformanceStore) throws -> Void

    init(_ name: String, needs: Capability..., body: @escaping @Sendable (ConformanceStore) throws -> Void) {
        self.name = name
        self.needs = needs
        self.body = body
    }

    private init(_ test: ConformanceCase, needs: [Capability]) {
        name = test.name
        self.needs = test.needs + needs
        body = test.body
    }

    /// The case, which needs these, too.
    func needing(_ capabilities: Capability...) -> ConformanceCase {
        ConformanceCase(self, needs: capabilities)
    }

    /// Runs the case on a provider with an empty store.
    ///
    /// Blocks for a few milliseconds, seconds at most; some cases start threads and wait for them.
    ///
    /// - Parameter makeFixture: Makes the provider; called once. The case closes it afterwards. It gets the cap of sessions
    ///   to make the provider with, where that has one; nil: room for 110,000 sessions.
    /// - Throws: `ConformanceFailure` when the provider breaks the contract or throws.
    @discardableResult
    public func run(
        _ makeFixture: (_ maximumSessions: Int?) throws -> ConformanceFixture
    ) throws -> Outcome {
        let fixture = try makeFixture(needs.contains(.cap) ? Self.cap : nil)
        defer { fixture.provider.close() }
        for need in needs where !need.isMet(by: fixture) {
            return .skipped(need.rawValue)
        }
        do {
            try body(ConformanceStore(fixture))
        } catch let failure as ConformanceFailure {
            throw failure.of(name)
        } catch {
            throw ConformanceFailure("the provider threw \(error)").of(name)
        }
        return .passed
    }

    /// The behaviour, as a sentence.
    public var description: String { name }

    /// What a case may need beyond a provider and a clock.
    enum Capability: String, Sendable {
        case exactClock = "a clock that stands still between advances"
        case anotherProvider = "a second provider on the same store (another)"
        case reopening = "a store that outlives its provider (reopen)"
        case storedBytes = "the bytes of the store (storedBytes)"
        case outage = "a store that can be stopped (outage)"
        case cap = "a cap of sessions (keepsCap)"
        case memoryOfRotations = "a memory of rotated ids (traits.remembersRotatedIDs)"
        case collection = "expired records that are there until they are collected (CollectingProvider)"
        case users = "an index of users (UserIndexedProvider)"
        case listing = "a list of all sessions (ListingProvider)"
        case listedValues = "an application's values in lists (traits.listsValues)"
        case counting = "a count of sessions (statistics)"
        case userCounting = "a count of sessions with a user (statistics)"
        case lifetimes = "lifetimes of each session's own (traits.keepsLifetimes)"
        case grace = "a grace for replaced ids (traits.keepsRotationGrace)"
        case kinds = "bytes told from text, and objects from arrays (traits.keepsKinds)"
        case exactDeadlines = "sessions that end at the very instant (traits.hasExactDeadlines)"

        func isMet(by fixture: ConformanceFixture) -> Bool {
            switch self {
            case .exactClock: fixture.isClockExact
            case .anotherProvider: fixture.another != nil
            case .reopening: fixture.reopen != nil
            case .storedBytes: fixture.storedBytes != nil
            case .outage: fixture.outage != nil
            case .cap: fixture.keepsCap
            case .memoryOfRotations: fixture.provider.traits.remembersRotatedIDs
            case .collection: fixture.provider is any CollectingProvider
            case .users: fixture.provider is any UserIndexedProvider
            case .listing: fixture.provider is any ListingProvider
            case .listedValues: fixture.provider.traits.listsValues
            case .counting: (try? fixture.provider.statistics().sessions) != nil
            case .userCounting: (try? fixture.provider.statistics().users) != nil
            case .lifetimes: fixture.provider.traits.keepsLifetimes
            case .grace: fixture.provider.traits.keepsRotationGrace
            case .kinds: fixture.provider.traits.keepsKinds
            case .exactDeadlines: fixture.provider.traits.hasExactDeadlines
            }
        }
    }
}
