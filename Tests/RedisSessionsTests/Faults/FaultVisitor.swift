import GalletaPlatform
import RedisSessions
import Sessions

/// One who uses sessions all the time, and knows what must be answered. On a thread of its own.
protocol FaultVisitor: Sendable {
    /// A visit.
    ///
    /// - Throws: `SessionStoreError`: what the visitor was told then is nothing. Any other error is one of the store's making.
    mutating func visit() throws
}

/// What all visitors need.
struct FaultSite: Sendable {
    let provider: MeasuredProvider
    let manager: SessionManager
    let book: FaultBook

    init(_ configuration: RedisProvider.Configuration, book: FaultBook) throws {
        provider = try MeasuredProvider(configuration, book: book)
        manager = try SessionManager(provider: provider)
        self.book = book
    }

    /// Names a session's owner in it.
    static let owner = SessionKey("owner")

    /// A new session with such an owner.
    func begin(_ owner: String, user: ByteString? = nil) throws -> SessionID {
        let session = manager.open(SessionIDCandidates(), isSecure: true)
        try session.set(Self.owner.name, owner)
        if let user { try session.logIn(user: user, client: owner) }
        guard let id = id(in: try session.commit()) else {
            book.wrong("no cookie for a new session")
            return .random()
        }
        return id
    }

    func open(_ id: SessionID) -> Session {
        manager.open(SessionIDCandidates(id), isSecure: true)
    }

    /// The id of the cookie that a response sets.
    func id(in commit: SessionCommit) -> SessionID? {
        guard let header = commit.setCookie, let start = header.firstIndex(of: "=") else { return nil }
        let id = SessionID(String(header[header.index(after: start)...].prefix { $0 != ";" }))
        if let id { book.used(id) }
        return id
    }

    /// Complains unless the record is the one of this owner.
    func check(_ record: SessionRecord, _ owner: String) {
        let found = record.values[Self.owner]
        if found != .string(owner) { book.wrong("another's session: \(String(describing: found)) for \(owner)") }
    }

    /// Complains if an ended session's id leads anywhere.
    func expectEnd(_ id: SessionID, _ why: String) throws {
        if case .found = try provider.lookUp(SessionHandle(id)) { book.wrong("lives after \(why)", isLoss: true) }
    }

    static func token() -> String { "owner-\(UInt64.random(in: .min ... .max))" }
}
