/// What one look at a shard found that could make room.
struct MemorySurvey {
    /// The kinds that may be evicted, in the order in which they go.
    static let evictable: [MemoryKind] = [.retired, .fresh, .anonymous]

    /// Expired slots that were taken out; when there were any, the survey ended there.
    var freed: Int
    /// True when the shard needs another look before all that may go is known.
    var isUnsettled = false
    /// True when that may be an expired or a fresh one, which goes before anonymous ones.
    var hidesFirst = false
    private var retired = Int64.max
    private var fresh = Int64.max
    private var anonymous = Int64.max

    init(freed: Int) {
        self.freed = freed
    }

    /// When the first slot of an evictable kind was seen last; the end of time when there is none.
    subscript(kind: MemoryKind) -> Int64 {
        get {
            switch kind {
            case .retired: retired
            case .fresh: fresh
            case .anonymous: anonymous
            case .alias, .user: .max
            }
        }
        set {
            switch kind {
            case .retired: retired = newValue
            case .fresh: fresh = newValue
            case .anonymous: anonymous = newValue
            case .alias, .user: break
            }
        }
    }
}
