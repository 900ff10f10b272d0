/// How much one session may hold.
public struct SessionLimits: Hashable, Sendable {
    /// Encoded bytes of all keys and values. Default: 65,536.
    public var bytes: Int
    /// Application keys. Default: 256.
    public var keys: Int

    /// Limits with the defaults of 64 KiB and 256 keys.
    public init(bytes: Int = 65_536, keys: Int = 256) {
        self.bytes = bytes
        self.keys = keys
    }

    static let none = SessionLimits(bytes: Int(UInt32.max), keys: Int(UInt32.max))

    func check(bytes newBytes: Int, keys newKeys: Int, before: SessionValues) throws(SessionError) {
        try check(bytes: newBytes, keys: newKeys, insteadOf: (before.byteCount, before.count))
    }

    /// Checks what a session is about to hold: for providers that merge a patch without ``SessionValues/applying(_:limits:)``.
    ///
    /// - Parameters:
    ///   - newBytes: The bytes of all entries after the change, see ``SessionValues/byteCount``.
    ///   - newKeys: The application's keys after the change.
    ///   - before: Both before it; a session over a lowered limit can still shrink.
    /// - Throws: `SessionError` of code `overLimit`.
    public func check(
        bytes newBytes: Int, keys newKeys: Int, insteadOf before: (bytes: Int, keys: Int)
    ) throws(SessionError) {
        if newBytes > bytes, newBytes > before.bytes {
            throw SessionError(
                .overLimit,
                "the session would hold \(newBytes) bytes, allowed are \(bytes) (limits.bytes); nothing was changed")
        }
        if newKeys > keys, newKeys > before.keys {
            throw SessionError(
                .overLimit,
                "the session would hold \(newKeys) keys, allowed are \(keys) (limits.keys); nothing was changed")
        }
    }
}
