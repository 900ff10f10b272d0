/// What the benchmark asks of a store: the same questions, each answered in the store's own way.
///
/// Each call begins at what a request brings, the text of a cookie, and makes the id of it as the store does.
protocol BenchmarkedStore: AnyObject, Sendable {
    /// An empty store, with its collection of garbage in the background if asked for.
    init(capacity: Int, collects: Bool) throws

    /// Begins a session of three small values, of which two are texts made of the id's.
    func create(_ text: UnsafeRawBufferPointer, seconds: Int) throws

    /// Reads the session and gives one of its values, nothing else.
    func read(_ text: UnsafeRawBufferPointer) -> Int64?

    /// As `read`, and notes the visit.
    func visit(_ text: UnsafeRawBufferPointer) -> Int64?

    /// Adds one to a value, as a request does.
    func update(_ text: UnsafeRawBufferPointer) throws

    /// Removes the session.
    func destroy(_ text: UnsafeRawBufferPointer) -> Bool

    /// How many sessions there are.
    var sessions: Int { get }
}
