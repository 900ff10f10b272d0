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
        if newBytes > bytes, newBytes > before.byteCount {
            throw SessionError(
                .overLimit,
                "the session would hold \(newBytes) bytes, allowed are \(bytes) (limits.bytes); nothing was changed")
        }
        if newKeys > keys, newKeys > before.count {
            throw SessionError(
                .overLimit,
                "the session would hold \(newKeys) keys, allowed are \(keys) (limits.keys); nothing was changed")
        }
    }
}
