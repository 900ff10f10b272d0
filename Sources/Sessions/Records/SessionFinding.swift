/// What an id leads to.
public enum SessionFinding: Sendable {
    /// A live session.
    case found(SessionRecord)
    /// Nothing any more; a rotation put another id in its place.
    ///
    /// A stolen id shows itself when it is used after its rotation; so a provider remembers a rotated id for a while (an
    /// hour is enough), as far as it has room and the session lives.
    case retired(SessionRetirement)
    /// Nothing that the provider knows of.
    case none
}

/// What a provider remembers of an id that a rotation replaced.
public struct SessionRetirement: Sendable {
    /// Since the rotation.
    public var age: Duration
    /// The id that took its place then.
    public var successor: SessionID?

    /// A provider's memory of a rotation.
    public init(age: Duration, successor: SessionID?) {
        self.age = age
        self.successor = successor
    }
}
