public import struct GalletaPlatform.ByteString

/// Something that an operator may want to count or see. None carries an id or a value.
public enum SessionEvent: Sendable {
    /// A session began.
    case created
    /// A session got a new id.
    case rotated
    /// A handler ended a session.
    case destroyed
    /// A session vanished while a request worked on it; the request's changes were dropped.
    case lost
    /// The value of a key no longer decodes as the type asked for; it reads as nil, its bytes are kept.
    case undecodable(key: ByteString, type: String)
    /// An id was used after a rotation had replaced it and its grace was over: a stolen cookie, or an old one that a
    /// browser restored. `age` is the time since the rotation.
    case idReused(age: Duration)
    /// A request offered two live sessions, of which the first counted: one was planted by a neighbouring site, or left
    /// behind by a cookie of another path or domain.
    case secondSession
    /// A client's network has begun as many sessions as it may.
    case newSessionRefused
    /// A session ended with its user's credential, see `SessionConfiguration.stampCheck`.
    case revoked
    /// The store failed.
    case storeFailed(SessionStoreError)
}
