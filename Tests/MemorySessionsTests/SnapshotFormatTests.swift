import Sessions
import Testing

@testable import MemorySessions

@Suite("The format of a snapshot")
struct SnapshotFormatTests {
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBytes { CRC32C.checksum($0) }
    }

    @Test(
        "checksums are those of RFC 3720",
        arguments: [
            (Array("123456789".utf8), 0xE306_9283), ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43), (Array(0..<32), 0x46DD_794E), ([], 0),
        ] as [([UInt8], UInt32)])
    func checksum(bytes: [UInt8], expected: UInt32) {
        #expect(Self.checksum(bytes) == expected)
        let parts = bytes.withUnsafeBytes { bytes in
            let middle = bytes.count / 3
            return CRC32C.checksum(
                UnsafeRawBufferPointer(rebasing: bytes[middle...]),
                after: CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<middle])))
        }
        #expect(parts == expected)
    }

    @Test("a digest is SHA-256")
    func digest() throws {
        let zeros = try #require(SessionID(bytes: [UInt8](repeating: 0, count: 32)))
        let text = IDDigest.of(zeros.words).withBytes { Array($0) }.map {
            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
        }.joined()
        #expect(text == "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925")
    }

    /// A file of `count` sessions, two removals and the end.
    private static func sample(_ count: Int = 4, mark: UInt64 = 0x0102_0304_0506_0708) throws -> [UInt8] {
        var encoder = SnapshotEncoder(
            SnapshotHeader(
                time: SnapshotTime(hasOwnClock: true, bootID: BootID(1, 2), clock: 1_000, wall: 5_000), mark: mark))
        for number in 0..<count { encoder.append(try session(number)) }
        encoder.appendRemoval(of: .random())
        encoder.appendRemoval(of: .random())
        encoder.appendEnd()
        return encoder.output
    }

    private static func session(_ number: Int, text: String = "abc") throws -> SnapshotSession {
        let values = try SessionValues([
            (SessionKey("number"), .int(Int64(number))), (SessionKey("text"), .string(text)),
        ])
        let slot = MemorySlot(
            id: .random(), values: values, created: 10, lastSeen: 20, idleTimeout: 30, absoluteDeadline: 40, version: 5,
            kind: .anonymous, isSeen: true)
        return SnapshotSession(slot, digest: slot.id, serial: 7)
    }

    private static func sessions(_ records: [MemoryEntry]) -> [SnapshotSession] {
        records.compactMap { record in
            guard case .session(let session) = record else { return nil }
            return session
        }
    }

    private static func numbers(_ records: [MemoryEntry]) -> [SessionValue?] {
        sessions(records).map { $0.values["number"] }
    }

    @Test("a whole file is read, in pieces of any size", arguments: [1, 7, 1 << 20])
    func whole(piece: Int) throws {
        let (report, records) = SnapshotFixture.read(try Self.sample(), piece: piece)
        #expect(report == SnapshotReport(outcome: .read, records: 6, damaged: 0, isCut: false))
        #expect(Self.numbers(records) == [.int(0), .int(1), .int(2), .int(3)])
        let first = try #require(Self.sessions(records).first)
        #expect(first.created == 10 && first.lastSeen == 20 && first.idleTimeout == 30)
        #expect(first.absoluteDeadline == 40 && first.version == 5 && first.serial == 7)
    }

    @Test("a byte that is flipped, wherever it is, costs one record at most", arguments: [0x01, 0x80, 0xFF] as [UInt8])
    func flipped(mask: UInt8) throws {
        let bytes = try Self.sample()
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= mask
            let (report, records) = SnapshotFixture.read(damaged)
            #expect(report.outcome == .read)
            #expect(report.hasLosses, "unnoticed at \(position)")
            #expect(report.damaged <= 2)
            #expect(records.count >= 5, "lost \(6 - records.count) at \(position)")
        }
    }

    @Test("a file that ends early, wherever it is, gives all records before")
    func cut() throws {
        let bytes = try Self.sample()
        var most = 0
        for count in 0..<bytes.count {
            let (report, records) = SnapshotFixture.read(Array(bytes[..<count]))
            if count == 0 { #expect(report.outcome == .empty) }
            if report.outcome == .read { #expect(report.isCut) }
            #expect(records.count >= most)
            most = records.count
        }
        #expect(most == 6)
    }

    @Test("bytes that are missing or too many cost no other records")
    func shifted() throws {
        let bytes = try Self.sample()
        for position in stride(from: 2 * SnapshotHeader.byteCount, to: bytes.count, by: 1) {
            var shorter = bytes
            shorter.remove(at: position)
            #expect(SnapshotFixture.read(shorter).records.count >= 5)
            var longer = bytes
            longer.insert(0, at: position)
            #expect(SnapshotFixture.read(longer).records.count >= 5)
        }
    }

    @Test("a length that lies is not believed, and reserves no memory")
    func longLength() throws {
        var bytes = try Self.sample()
        let frame = 2 * SnapshotHeader.byteCount
        for offset in 8..<12 { bytes[frame + offset] = 0xFF }
        let (report, records) = SnapshotFixture.read(bytes)
        #expect(report.damaged == 1)
        #expect(Self.numbers(records) == [.int(1), .int(2), .int(3)])
    }

    @Test("a value that looks like a record of another file is none, even where a length is damaged")
    func forged() throws {
        let forged = try Self.sample(1, mark: 0xFFFF)
        let text = String(decoding: forged.map { $0 & 0x7F }, as: UTF8.self)
        var encoder = SnapshotEncoder(
            SnapshotHeader(
                time: SnapshotTime(hasOwnClock: true, bootID: BootID(1, 2), clock: 1_000, wall: 5_000),
                mark: 0x1234_5678))
        var carrier = try Self.session(0, text: text)
        carrier.values = try SessionValues([(SessionKey("bytes"), .bytes(forged))])
        encoder.append(carrier)
        encoder.append(try Self.session(1))
        encoder.appendEnd()
        var bytes = encoder.output
        bytes[2 * SnapshotHeader.byteCount + 8] ^= 0xFF
        let (_, records) = SnapshotFixture.read(bytes)
        #expect(Self.numbers(records) == [.int(1)])
    }

    @Test("a newer version is told apart from damage")
    func newer() throws {
        var header = SnapshotHeader(
            time: SnapshotTime(hasOwnClock: true, bootID: BootID(1, 2), clock: 1_000, wall: 5_000), mark: 1)
        header.version = 3
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        header.append(to: &bytes)
        #expect(SnapshotFixture.read(bytes).report.outcome == .newer(3))
        #expect(SnapshotFixture.read(Array("no snapshot".utf8)).report.outcome == .unreadable)
    }

    @Test("the sessions of another store are told from damage, and nothing of them is read")
    func foreign() throws {
        var encoder = SnapshotEncoder(
            SnapshotHeader(
                .php, time: SnapshotTime(hasOwnClock: true, bootID: BootID(1, 2), clock: 1_000, wall: 5_000), mark: 1))
        encoder.append(try Self.session(1))
        encoder.appendEnd()
        let (report, records) = SnapshotFixture.read(encoder.output)
        #expect(report == SnapshotReport(outcome: .foreign) && records.isEmpty)
    }

    @Test("random bytes after a good beginning never crash the reader")
    func noise() throws {
        let bytes = try Self.sample(20)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...20, using: &generator) {
                damaged[.random(in: damaged.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            _ = SnapshotFixture.read(damaged)
        }
    }

    @Test(
        "downtime is measured by the clock that went on",
        arguments: [
            // own clock: its difference, never negative
            (true, BootID(1, 1), true, BootID(2, 2), 150, 9_000, 0),
            (true, BootID(1, 1), true, BootID(1, 1), 50, 9_000, -50),
            // one boot: the clock since boot
            (false, BootID(1, 1), false, BootID(1, 1), 150, 9_000, 0),
            // another boot, or none known: the wall clock, never negative
            (false, BootID(1, 1), false, BootID(2, 2), 7, 1_030, 7 - 100 - 30),
            (false, BootID(1, 1), false, BootID(2, 2), 7, 900, 7 - 100),
            (false, BootID(0, 0), false, BootID(0, 0), 7, 1_030, 7 - 100 - 30),
            (true, BootID(1, 1), false, BootID(1, 1), 150, 1_030, 20),
        ] as [(Bool, BootID, Bool, BootID, Int64, Int64, Int64)])
    func downtime(
        ownThen: Bool, bootThen: BootID, ownNow: Bool, bootNow: BootID, clock: Int64, wall: Int64, shift: Int64
    ) {
        let then = SnapshotTime(hasOwnClock: ownThen, bootID: bootThen, clock: 100, wall: 1_000)
        let now = SnapshotTime(hasOwnClock: ownNow, bootID: bootNow, clock: clock, wall: wall)
        #expect(then.shift(to: now) == shift)
    }
}
