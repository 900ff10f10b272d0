internal import Sessions

/// A session's metadata, the field `m`: 57 bytes, big-endian. Form 1, version 8, created 8, last seen 8, idle timeout 8,
/// absolute timeout 8 (milliseconds of Redis's clock), nonce of the last change 8, bytes of the values 4, their keys 4.
///
/// Short of 64 bytes: beyond them Redis keeps a hash of three times the size.
struct RedisMetadata {
    static let form: UInt8 = 1
    static let count = 57

    let version: UInt64
    let created: Int64
    let seen: Int64
    let idle: Int64
    let absolute: Int64

    /// - Throws: `SessionStoreError` for a form of a later version of this library. Nil: it makes no sense.
    init?(_ bytes: [UInt8]) throws(SessionStoreError) {
        guard let form = bytes.first else { return nil }
        guard form == Self.form else { throw Self.unknownForm(Int64(form)) }
        guard bytes.count == Self.count else { return nil }
        guard let version = bytes.number(at: 1), let created = bytes.number(at: 9), let seen = bytes.number(at: 17),
            let idle = bytes.number(at: 25), let absolute = bytes.number(at: 33)
        else { return nil }
        self.version = UInt64(version)
        (self.created, self.seen, self.idle, self.absolute) = (created, seen, idle, absolute)
    }

    static func unknownForm(_ form: Int64) -> SessionStoreError {
        SessionStoreError(
            .unavailable,
            "Redis holds a session in a form (\(form)) that this version does not know; upgrade it, or let it use another name"
        )
    }

    func isLive(at now: Int64) -> Bool {
        now < min(seen.addingSaturated(idle), created.addingSaturated(absolute))
    }

    /// The record at `now`; its values come from elsewhere.
    func record(
        _ values: SessionValues, at now: Int64, successor: SessionID?, lease: (any SessionLease)?
    ) -> SessionRecord {
        SessionRecord(
            values: values, version: version, successor: successor, age: .milliseconds(max(0, now - created)),
            idle: .milliseconds(max(0, now - seen)), idleRemaining: .milliseconds(seen.addingSaturated(idle) - now),
            absoluteRemaining: .milliseconds(created.addingSaturated(absolute) - now), lease: lease)
    }
}

/// What is left of an id that a rotation replaced, the field `a`: time of the rotation 8, end of the grace 8, the new id,
/// sealed with the old one.
struct RedisAlias {
    let rotated: Int64
    let graceEnd: Int64
    private let sealed: [UInt8]

    init?(_ bytes: [UInt8]) {
        guard bytes.count > 16 else { return nil }
        guard let rotated = bytes.number(at: 0), let graceEnd = bytes.number(at: 8) else { return nil }
        (self.rotated, self.graceEnd) = (rotated, graceEnd)
        sealed = Array(bytes[16...])
    }

    /// The new id, for who has the old one.
    func successor(of old: SessionID) -> SessionID? {
        SessionID(sealed: sealed, with: old)
    }
}

extension [UInt8] {
    /// The number in eight bytes from `offset` on; nil: beyond what Lua can have written, so that sums of some cannot overflow.
    func number(at offset: Int) -> Int64? {
        let number = self[offset..<(offset + 8)].reduce(0) { $0 << 8 | UInt64($1) }
        return number < 1 << 53 ? Int64(number) : nil
    }
}

extension Int64 {
    fileprivate func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}

extension Duration {
    /// Whole milliseconds, at least 1: no deadline comes too early, and none is none.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        // Some ten thousand years.
        guard seconds < 1 << 40 else { return 1 << 50 }
        return min(
            1 << 50, max(1, max(0, seconds) * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}
