package import GalletaPlatform

/// Where PHP keeps its sessions: in files, or in Redis.
///
/// PHP holds a session from its first look to its last write, so that requests of one visitor follow each other. A store
/// does the same: ``open(_:until:)`` takes PHP's own lock, and the record that it gives holds it until it is written,
/// touched, removed or released. That has to be soon: a PHP page of the same visitor waits meanwhile.
///
/// Threading: any number of threads at once. Calls block, until their deadline at most.
package protocol PHPSessionStore: Sendable {
    /// Takes the lock of a session and reads it.
    ///
    /// - Parameters:
    ///   - id: The id. A session is never made for an id that a client chose.
    ///   - deadline: When to give up waiting for others who have the session.
    /// - Returns: nil when there is no such session.
    /// - Throws: ``PHPSessionStoreError``: `busy` at the deadline or when too many wait already, `refused` for what PHP
    ///   would not take for a session either, `failed` when the system failed.
    func open(_ id: PHPSessionID, until deadline: BootInstant) throws(PHPSessionStoreError)
        -> (any PHPSessionRecord)?

    /// Reads a session without the intention to change it: "last used" stays. nil and errors as for ``open(_:until:)``.
    func read(_ id: PHPSessionID, until deadline: BootInstant) throws(PHPSessionStoreError) -> PHPSessionContent?

    /// Makes a session under an id that was drawn here, without values, and takes its lock.
    ///
    /// - Returns: nil when there is such a session already.
    func create(_ id: PHPSessionID, until deadline: BootInstant) throws(PHPSessionStoreError)
        -> (any PHPSessionRecord)?

    /// Lets go of what it is connected with.
    func close()
}

/// A session as it was read.
package struct PHPSessionContent: Sendable {
    /// What PHP has written.
    package let bytes: [UInt8]
    /// When it was used last, by the ``WallClock``.
    package let lastUse: Duration
}

/// A session that nobody else has now. Its lock goes with the call of one of the methods that do not keep it, or with the object.
///
/// Threading: for one thread at a time.
package protocol PHPSessionRecord: AnyObject {
    /// What was read, or written since.
    var bytes: [UInt8] { get }

    /// When it was used last, by the ``WallClock``, as it was read, or written since.
    var lastUse: Duration { get }

    /// Whether it still has the lock, as far as is known here.
    var isHeld: Bool { get }

    /// Writes these bytes.
    ///
    /// - Parameters:
    ///   - lastUse: What "last used" is then; nil is now.
    ///   - keepsLock: Whether the session stays this object's, to be written again.
    /// - Returns: False when the session was removed meanwhile: nothing is written then, and none comes to life again.
    func write(_ bytes: [UInt8], lastUse: Duration?, keepsLock: Bool) throws(PHPSessionStoreError) -> Bool

    /// Sets "last used" to now. False when it was removed meanwhile.
    func touch(keepsLock: Bool) throws(PHPSessionStoreError) -> Bool

    /// Removes the session. False when it was removed meanwhile.
    func remove() throws(PHPSessionStoreError) -> Bool

    /// Gives the session another id, at one moment, and lets it go.
    func rename(to id: PHPSessionID) throws(PHPSessionStoreError) -> PHPSessionRenaming

    /// Lets the session go as it is.
    func release()
}

/// What comes of another id.
package enum PHPSessionRenaming: Sendable {
    case renamed
    /// The session was removed meanwhile.
    case gone
    /// There is a session of that id.
    case taken
    /// The store cannot: nothing has happened, and the session is still had.
    case unsupported
}

extension PHPSessionRecord {
    /// Writes these bytes and lets the session go.
    package func write(_ bytes: [UInt8], lastUse: Duration?) throws(PHPSessionStoreError) -> Bool {
        try write(bytes, lastUse: lastUse, keepsLock: false)
    }

    package func rename(to id: PHPSessionID) throws(PHPSessionStoreError) -> PHPSessionRenaming { .unsupported }

    /// Sets "last used" to now and lets the session go.
    package func touch() throws(PHPSessionStoreError) -> Bool { try touch(keepsLock: false) }
}

/// Why a store gave no answer.
package struct PHPSessionStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// Others have the session: try again later.
        case busy
        /// Somebody without a lock has changed the session meanwhile: what was read is old, and nothing was written.
        case changed
        /// What is there is nothing that PHP would take for a session.
        case refused
        /// A session is there, and its bytes make no sense here.
        case unreadable
        /// The system failed.
        case failed
    }

    package let code: Code
    package let reason: String

    package var description: String { reason }

    static let busy = PHPSessionStoreError(code: .busy, reason: "others have the session")

    static let changed = PHPSessionStoreError(code: .changed, reason: "a page without a lock changes the session")

    static func refused(_ reason: String) -> PHPSessionStoreError {
        PHPSessionStoreError(code: .refused, reason: reason)
    }
}
