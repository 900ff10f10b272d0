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

/// The name of a session in a list of a user's sessions: safe to put on a page, as nobody becomes the user by it.
///
/// It stays the same as long as the session belongs to the user, whatever its id. Where it comes from is the
/// provider's affair: a random number, a digest of the id.
public struct SessionReference: RawRepresentable, Hashable, Sendable {
    /// The text, as it came from the provider or from a form.
    public let rawValue: String

    /// A reference by its text; a provider finds nothing under a text that it did not make.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }
}
