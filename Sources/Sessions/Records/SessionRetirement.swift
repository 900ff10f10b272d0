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
