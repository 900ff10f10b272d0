/// A record of a state file or a journal, whole and undamaged: its payload is in the form of the store that has written it.
///
/// The bytes are there for a call only.
package enum StateRecord {
    /// How a session is from there on.
    case session(UnsafeRawBufferPointer)
    /// The id of a session that has ended, or has another id.
    case removal(UnsafeRawBufferPointer)
    /// A session has got another id. In journals only.
    case rotation(UnsafeRawBufferPointer)
}
