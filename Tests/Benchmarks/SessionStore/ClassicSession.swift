/// A session of `ClassicStore`: an object with a dictionary, and a link of the list.
final class ClassicSession<ID: Hashable> {
    let id: ID
    var values: [String: any Sendable]
    var lastSeen: Int64
    let lifetime: Int64
    var next: ClassicSession?
    // Safe: a session that is in the list is kept by the one before it, or by the list.
    unowned(unsafe) var previous: ClassicSession?

    init(id: ID, values: [String: any Sendable], lastSeen: Int64, lifetime: Int64) {
        self.id = id
        self.values = values
        self.lastSeen = lastSeen
        self.lifetime = lifetime
    }
}
