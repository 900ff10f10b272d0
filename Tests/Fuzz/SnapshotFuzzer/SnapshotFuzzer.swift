// covers: Sources/MemorySessions/Snapshot/SnapshotReader.swift
// covers: Sources/MemorySessions/Snapshot/SnapshotHeader.swift
// covers: Sources/MemorySessions/Snapshot/MemoryEntry.swift
// covers: Sources/MemorySessions/Snapshot/SnapshotSession.swift
// covers: Sources/MemorySessions/Snapshot/SnapshotWindow.swift
// covers: Sources/MemorySessions/Journal/JournalReader.swift
// covers: Sources/MemorySessions/Journal/JournalHeader.swift
@testable import MemorySessions

/// Any state file, and any journal: the reader ends, and hands on nothing that does not come out of its own encoder again.
///
/// Checksums keep random bytes from ever being a record, so the first byte chooses: the rest as a file, or as the
/// payload of a session or of a journal's record whose checksum is right, behind sound headers.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let rest = UnsafeRawBufferPointer(start: data + 1, count: count - 1)
    if data[0] & 1 == 0 {
        read([UInt8](rest), pieces: Int(data[0] >> 1) + 1)
        readJournal([UInt8](rest), pieces: Int(data[0] >> 1) + 1)
    } else if data[0] & 2 != 0 {
        journalRecord(type: UInt32(data[0] >> 2), rest)
    } else if let session = SnapshotSession(rest) {
        var again: [UInt8] = []
        session.append(to: &again)
        guard let back = again.withUnsafeBytes({ SnapshotSession($0) }) else { fatalError("not read again") }
        precondition(back.digest == session.digest && back.values == session.values)
        for shift in [Int64(data[0]) << 32, .min, .max] {
            let slot = session.slot(id: session.digest, shift: shift, at: 1 << 50)
            precondition(slot.lastSeen <= 1 << 50, "a visit in the future")
            _ = slot.record(at: 1 << 50)
        }
    }
    return 0
}

private func read(_ bytes: [UInt8], pieces: Int) {
    var position = 0
    var records = 0
    let report = SnapshotReader.read(
        { buffer in
            let piece = bytes[position...].prefix(min(pieces, buffer.count))
            buffer.copyBytes(from: piece)
            position += piece.count
            return piece.count
        },
        begin: { _ in },
        visit: {
            guard MemoryEntry($0) != nil else { return false }
            records += 1
            return true
        })
    precondition(report.records == records)
    precondition(report.outcome != .empty || bytes.isEmpty)
}

private func readJournal(_ bytes: [UInt8], pieces: Int) {
    var position = 0
    var records = 0
    let report = JournalReader.read(
        { buffer in
            let piece = bytes[position...].prefix(min(pieces, buffer.count))
            buffer.copyBytes(from: piece)
            position += piece.count
            return piece.count
        },
        begin: \.firstSequence,
        visit: {
            guard MemoryEntry($0) != nil else { return false }
            records += 1
            return true
        })
    precondition(report.records == records && report.cutBytes <= bytes.count)
    precondition(report.outcome != .empty || bytes.isEmpty)
}

/// A payload whose checksum is right: what comes of it is written and read as the same.
private func journalRecord(type: UInt32, _ payload: UnsafeRawBufferPointer) {
    func record(_ bytes: UnsafeRawBufferPointer) -> StateRecord? {
        switch JournalRecordType(rawValue: type) {
        case .session: .session(bytes)
        case .removal: .removal(bytes)
        case .rotation: .rotation(bytes)
        case nil: nil
        }
    }
    guard let entry = record(payload).flatMap(MemoryEntry.init) else { return }
    var again: [UInt8] = []
    precondition(entry.append(to: &again).rawValue == type, "another type")
    precondition(again.withUnsafeBytes { record($0).flatMap(MemoryEntry.init) != nil }, "not read again")
}
