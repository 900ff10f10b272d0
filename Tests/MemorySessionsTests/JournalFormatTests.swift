import Foundation
import Sessions
import TestSupport
import Testing

@testable import MemorySessions

@Suite("The journal's format")
struct JournalFormatTests {
    private static let time = SnapshotTime(hasOwnClock: true, bootID: BootID(1, 2), clock: 1_000, wall: 5_000)
    private static let headerCount = 2 * JournalHeader.byteCount

    /// A journal of some records, and where each ends.
    private static func sample(_ count: Int, version: UInt32 = 1) throws -> (bytes: [UInt8], ends: [Int]) {
        var header = JournalHeader(time: time, mark: 0x1234_5678_9ABC_DEF0, base: 7, firstSequence: 5)
        header.version = version
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        header.append(to: &bytes)
        let ends = try (0..<count).map { number in
            let values = try SessionValues([(SessionKey("n"), .int(Int64(number))), (.user, .name("ada"))])
            let slot = MemorySlot(
                id: .random(),
                draft: SessionDraft(values: values, idleTimeout: .seconds(9), absoluteTimeout: .seconds(99)),
                at: 10, isOfUser: true)
            let session = SnapshotSession(slot, digest: .random(), serial: 3)
            let record: MemoryEntry =
                switch number % 3 {
                case 0: .session(session)
                case 1: .removal(.random())
                default: .rotation(from: .random(), graceEnd: 77, sealed: .random(), session)
                }
            JournalFrame.append(record, to: &bytes, sequence: 5 + UInt64(number), mark: header.mark)
            return bytes.count
        }
        return (bytes, ends)
    }

    static func read(
        _ bytes: [UInt8], from first: (JournalHeader) -> UInt64? = \.firstSequence
    ) -> (report: JournalReader.Report, records: [MemoryEntry]) {
        var offset = 0
        var records: [MemoryEntry] = []
        let report = JournalReader.read { target in
            let count = min(target.count, bytes.count - offset)
            target.copyBytes(from: bytes[offset..<(offset + count)])
            offset += count
            return count
        } begin: {
            first($0)
        } visit: {
            guard let record = MemoryEntry($0) else { return false }
            records.append(record)
            return true
        }
        return (report, records)
    }

    @Test("what is written is read")
    func roundTrip() throws {
        let (report, records) = Self.read(try Self.sample(6).bytes)
        #expect(report == .init(outcome: .read, belongs: true, records: 6, damaged: 0, cutBytes: 0))
        var payload: [UInt8] = []
        #expect(records.map { $0.append(to: &payload).rawValue } == [1, 2, 3, 1, 2, 3])
        guard case .rotation(_, let end, _, let session) = records[2] else {
            Issue.record("no rotation")
            return
        }
        #expect(end == 77 && session.serial == 3 && session.values[SessionKey("n")] == .int(2))
    }

    @Test("cut at any byte, it has what is whole, and says how much is not")
    func cut() throws {
        let (bytes, ends) = try Self.sample(6)
        for count in Self.headerCount...bytes.count {
            let (report, records) = Self.read(Array(bytes[..<count]))
            let whole = ends.filter { $0 <= count }
            #expect(records.count == whole.count && report.damaged == 0)
            #expect(report.cutBytes == count - (whole.last ?? Self.headerCount))
        }
    }

    @Test("whichever byte is damaged, all other records are read, and the damage is told")
    func damage() throws {
        let (bytes, ends) = try Self.sample(6)
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 0x41
            let (report, records) = Self.read(damaged)
            guard position >= Self.headerCount else {
                // One header of two is enough.
                #expect(records.count == 6 && report.damaged == 1)
                continue
            }
            #expect(records.count == 5)
            // In the last record it is as if it had not been written to its end.
            let isInLast = position >= ends[4]
            #expect(report.damaged == (isInLast ? 0 : 1) && (report.cutBytes > 0) == isInLast)
        }
    }

    @Test("garbage and zeros at the end, as a power cut leaves them, are cut off")
    func garbage() throws {
        let (bytes, _) = try Self.sample(3)
        for tail in [[UInt8](repeating: 0, count: 5_000), (0..<5_000).map { _ in UInt8.random(in: 0...255) }] {
            let (report, records) = Self.read(bytes + tail)
            #expect(records.count == 3 && report.cutBytes == 5_000 && report.damaged == 0)
        }
    }

    @Test("a record that stands twice, or before its time, counts once")
    func sequences() throws {
        let (bytes, ends) = try Self.sample(3)
        let second = Array(bytes[ends[0]..<ends[1]])
        #expect(Self.read(bytes + second).records.count == 3)
        let without = Array(bytes[..<ends[0]]) + bytes[ends[1]...]
        let (report, records) = Self.read(without)
        #expect(records.count == 2 && report.damaged == 1)
    }

    @Test("what a state file has already is skipped; a journal of another state file is not used")
    func generations() throws {
        let bytes = try Self.sample(6).bytes
        var state = SnapshotHeader(time: Self.time, mark: 7)
        func records(_ state: SnapshotHeader?) -> Int? {
            let (report, records) = Self.read(bytes) { $0.firstSequence(after: state) }
            return report.belongs ? records.count : nil
        }
        #expect(records(state) == 6)
        state.mark = 8
        #expect(records(state) == nil)
        state.journal = 0x1234_5678
        for (sequence, left) in [(0, 6), (4, 6), (5, 5), (9, 1), (10, 0), (99, 0)] {
            state.sequence = UInt64(sequence)
            #expect(records(state) == left)
        }
        state.journal = 0x1234_5679
        #expect(records(state) == nil)
        #expect(records(nil) == nil)
    }

    @Test("numbers at the end of what there is are no trap")
    func lastNumbers() throws {
        var header = JournalHeader(time: Self.time, mark: 7, base: 0, firstSequence: .max)
        for first in [UInt64.max, 1] {
            header.firstSequence = first
            var bytes: [UInt8] = []
            header.append(to: &bytes)
            header.append(to: &bytes)
            for sequence in [UInt64.max - 1, .max, .max] {
                JournalFrame.append(MemoryEntry.removal(.random()), to: &bytes, sequence: sequence, mark: 7)
            }
            #expect(Self.read(bytes).records.count <= 1)
        }
        var state = SnapshotHeader(time: Self.time, mark: 8)
        (state.journal, state.sequence) = (header.journal, .max)
        #expect(header.firstSequence(after: state) != nil)
    }

    @Test("a newer version, something else and nothing at all are told apart")
    func outcomes() throws {
        #expect(Self.read(try Self.sample(1, version: 2).bytes).report.outcome == .newer(2))
        #expect(Self.read(Array("no journal".utf8)).report.outcome == .unreadable)
        #expect(Self.read([]).report.outcome == .empty)
    }

    @Test("random bytes after a good beginning never crash the reader")
    func noise() throws {
        let bytes = try Self.sample(9).bytes
        for _ in 0..<500 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...20) { damaged[.random(in: damaged.indices)] = .random(in: 0...255) }
            _ = Self.read(damaged)
        }
    }
}
