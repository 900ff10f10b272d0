/// What one hold of a shard's lock by garbage collection brought.
struct MemorySlice {
    /// Sessions that went, without aliases.
    var removed: Int
    /// Slots that were looked at; those that were not due any more have been put where they belong now.
    var looked: Int
    /// True when more slots of the shard are to be looked at.
    var hasMore: Bool
    /// The earliest moment at which something in the shard may be due.
    var nextBound: Int64?
}
