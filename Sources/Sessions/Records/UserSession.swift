internal import struct GalletaPlatform.ByteString

/// One of a user's sessions, for a list that the user may see.
public struct UserSession: Sendable {
    /// Names the session in the list; not its id, and of no use but to the user's own sessions.
    public let reference: SessionReference
    /// The session as it was at the moment of the call; its `successor` is nil.
    public let record: SessionRecord
    /// True for the session that asked.
    public let isCurrent: Bool

    /// An entry for a provider to hand out.
    public init(reference: SessionReference, record: SessionRecord, isCurrent: Bool) {
        self.reference = reference
        self.record = record
        self.isCurrent = isCurrent
    }

    /// What `Session.logIn(user:client:)` was told of the visitor's browser.
    public var client: String? {
        guard case .string(let client)? = record.values[.client] else { return nil }
        return client
    }

    /// Since the session began.
    public var age: Duration { record.age }

    /// Since the visitor was last noted.
    public var idle: Duration { record.idle }
}

/// A user's sessions, or the first of them.
public struct UserSessionList: Sendable {
    /// The sessions, the one last seen first; no more than the limit that was asked for.
    public var sessions: [UserSession]
    /// How many sessions the user has, listed or not. Where not all are listed, expired ones that were not collected yet
    /// may count.
    public var total: Int

    /// A list for a provider to hand out.
    public init(sessions: [UserSession] = [], total: Int = 0) {
        self.sessions = sessions
        self.total = total
    }

    /// How many of the user's sessions are not listed: for "and 12 more" below a page's rows.
    public var more: Int { max(0, total - sessions.count) }
}

/// The name of a session in a list of a user's sessions: safe to put on a page, as nobody becomes the user by it.
///
/// It stays the same as long as the session belongs to the user, whatever its id. Where it comes from is the
/// provider's affair: a random number, a digest of the id.
public struct SessionReference: RawRepresentable, Sendable {
    /// The text, as it came from the provider or from a form.
    public let rawValue: String

    /// A reference by its text; a provider finds nothing under a text that it did not make.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}

extension SessionReference: Hashable {
    /// True for the same bytes.
    public static func == (left: SessionReference, right: SessionReference) -> Bool {
        ByteString(left.rawValue) == ByteString(right.rawValue)
    }

    /// Feeds the bytes.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(ByteString(rawValue))
    }
}
