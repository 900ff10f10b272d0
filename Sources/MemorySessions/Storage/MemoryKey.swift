internal import Sessions

/// What sessions are found under: the four words of an id, or of a digest of one.
///
/// Foreign ids have zeros there, which are nobody's.
typealias MemoryKey = SessionIDWords
