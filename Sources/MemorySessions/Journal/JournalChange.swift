/// A change of who is logged in, as it was made in memory: what the journal is given.
package protocol JournalChange: Sendable {
    /// Appends the payload of its record; gives what it is. On the journal's thread: what it costs nobody waits for.
    func append(to output: inout [UInt8]) -> JournalRecordType
}

/// What a record of a journal is.
package enum JournalRecordType: UInt32 {
    case session = 1
    case removal = 2
    case rotation = 3
}
