internal import GalletaPlatform
internal import MemorySessions

/// The form of a state file of PHP's sessions.
///
///     file    = head record* end
///     head    = "GALPHP" version:u16                                     (version 1)
///     record  = length:u32 crc:u32 content                               (CRC-32C of the content)
///     content = 1 digest:32 deadline:i64 reference:u64 length:u32 user bytes | 2 digest:32 | 3 count:u64
///
/// Numbers are little-endian. A session (1) is the one of its id from there on, a removal (2) takes it away; the end (3) counts the
/// records before it. Deadlines are nanoseconds since 1970; a user of length 2^32-1 is none.
enum MemorySnapshot {
    enum Record {
        case session(MemoryTable.Session)
        case removal(IDDigest)
        case end(count: UInt64)
    }

    static let head = Array("GALPHP".utf8) + [1, 0]
    /// Longer is no record: a session has a few MiB at most.
    private static let longestRecord: UInt32 = 1 << 30

    static func encoded(_ record: Record) -> [UInt8] {
        var content: [UInt8] = []
        switch record {
        case .session(let session):
            content.reserveCapacity(64 + session.bytes.count)
            content.append(1)
            content += session.digest.bytes
            content.append(number: UInt64(bitPattern: session.deadline))
            content.append(number: session.reference)
            content.append(number: session.user.map { UInt32($0.count) } ?? .max)
            content += session.user?.bytes ?? []
            content += session.bytes
        case .removal(let digest):
            content.append(2)
            content += digest.bytes
        case .end(let count):
            content.append(3)
            content.append(number: count)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(content.count + 8)
        bytes.append(number: UInt32(content.count))
        bytes.append(number: content.withUnsafeBytes { CRC32C.checksum($0) })
        return bytes + content
    }

    /// What a file has turned out to be.
    enum Outcome: Equatable {
        case whole
        /// No state file at all, or of another version.
        case foreign
        /// What is behind this is damaged or missing.
        case damaged
    }

    /// - Parameters:
    ///   - read: Fills a buffer; 0 at the end.
    ///   - visit: Gets each session and removal.
    static func read(
        _ read: (UnsafeMutableRawBufferPointer) -> Int, visit: (Record) -> Void
    ) -> Outcome {
        func take(_ count: Int) -> [UInt8]? {
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                while filled < count {
                    let more = read(
                        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...]))
                    guard more > 0 else { return }
                    filled += more
                }
            }
            return bytes.count == count ? bytes : nil
        }
        guard take(head.count) == head else { return .foreign }
        var count: UInt64 = 0
        while let frame = take(8) {
            let (length, sum) = (UInt32(frame[...], at: 0), UInt32(frame[...], at: 4))
            // As much as there is is made room for, step by step: the length may be any.
            var content: [UInt8] = []
            guard length <= longestRecord else { return .damaged }
            while content.count < length {
                guard let part = take(min(Int(length) - content.count, 1 << 20)) else { return .damaged }
                content += part
            }
            guard content.withUnsafeBytes({ CRC32C.checksum($0) }) == sum, let record = record(content) else {
                return .damaged
            }
            if case .end(let wanted) = record { return wanted == count ? .whole : .damaged }
            visit(record)
            count += 1
        }
        return .damaged
    }

    private static func record(_ content: [UInt8]) -> Record? {
        let rest = content.dropFirst()
        switch (content.first, content.count) {
        case (1, 53...):
            guard let digest = IDDigest(bytes: rest.prefix(32)) else { return nil }
            let length = UInt32(rest, at: 48)
            var bytes = rest.dropFirst(52)
            var user: ByteString?
            if length != .max {
                guard length <= bytes.count else { return nil }
                user = ByteString(bytes: bytes.prefix(Int(length)))
                bytes = bytes.dropFirst(Int(length))
            }
            return .session(
                MemoryTable.Session(
                    digest: digest, bytes: Array(bytes), deadline: Int64(bitPattern: UInt64(rest, at: 32)), user: user,
                    reference: UInt64(rest, at: 40), version: 0))
        case (2, 33): return IDDigest(bytes: rest).map { .removal($0) }
        case (3, 9): return .end(count: UInt64(rest, at: 0))
        default: return nil
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}

extension FixedWidthInteger {
    /// The number that is so far behind the beginning; the bytes must be there.
    fileprivate init(_ bytes: ArraySlice<UInt8>, at place: Int) {
        self = bytes.withUnsafeBytes { Self(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: Self.self)) }
    }
}
