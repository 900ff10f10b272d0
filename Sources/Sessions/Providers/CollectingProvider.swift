/// A provider whose expired records stay until they are collected. Stores that expire records by themselves need it not.
public protocol CollectingProvider: SessionProvider {
    /// Removes at most `limit` expired records: one short slice of garbage collection.
    ///
    /// May remove fewer than there are, so that the call stays short; call it again while `hasMore`. The provider itself
    /// sees to it that somebody does; this is for tests, and for programs that want a moment of their own.
    func collect(limit: Int) throws -> SessionCollection
}
