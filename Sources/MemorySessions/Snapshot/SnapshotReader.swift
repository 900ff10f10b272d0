/// Reads a snapshot from a stream of bytes and trusts none of them. Needs no store.
///
/// Memory: 512 KiB, or one record if it is larger.
enum SnapshotReader {
    /// - Parameters:
    ///   - source: Gives the bytes, in pieces of any size.
    ///   - begin: Called once, with the header, before the first record.
    ///   - visit: Called with each record that is whole, in the order of the file; not with the end.
    static func read(
        _ source: @escaping SnapshotWindow.Source, begin: (SnapshotHeader) -> Void, visit: (SnapshotRecord) -> Void
    ) -> SnapshotReport {
        var window = SnapshotWindow(source)
        var report = SnapshotReport()
        let (outcome, found, isDamaged) = window.readHeaders(as: SnapshotHeader.self)
        report.outcome = outcome
        if isDamaged { report.damaged += 1 }
        guard let header = found else { return report }
        begin(header)
        readRecords(&window, mark: header.mark, &report, visit)
        return report
    }

    /// What the stream is, by its headers alone.
    static func outcome(_ source: @escaping SnapshotWindow.Source) -> SnapshotReport.Outcome {
        var window = SnapshotWindow(source)
        return window.readHeaders(as: SnapshotHeader.self).outcome
    }

    private enum Step {
        case record(SnapshotRecord, Int)
        /// Its checksum is right, so its length is.
        case senseless(Int)
        case damaged
        case short
    }

    private static func readRecords(
        _ window: inout SnapshotWindow, mark: UInt64, _ report: inout SnapshotReport, _ visit: (SnapshotRecord) -> Void
    ) {
        // A stretch of damage counts once, until the next record.
        var isLost = false
        var counts: (sessions: UInt64, removals: UInt64) = (0, 0)
        while window.fill(1) {
            switch step(&window, mark: mark) {
            case .record(let record, let count):
                isLost = false
                window.skip(count)
                switch record {
                case .session: counts.sessions += 1
                case .removal: counts.removals += 1
                case .end(let sessions, let removals):
                    report.isCut = report.damaged == 0 && counts != (sessions, removals)
                    return
                }
                report.records += 1
                visit(record)
            case .senseless(let count):
                isLost = false
                report.damaged += 1
                window.skip(count)
            case .damaged, .short:
                if !isLost { report.damaged += 1 }
                isLost = true
                window.skip(1)
                _ = window.seek(mark)
            }
        }
        report.isCut = true
    }

    private static func step(_ window: inout SnapshotWindow, mark: UInt64) -> Step {
        guard window.fill(SnapshotRecord.frameCount) else { return .short }
        let seed = UInt32(truncatingIfNeeded: mark)
        let frame = window.withBytes { bytes -> (length: Int, type: UInt32, checksum: UInt32)? in
            var reader = SnapshotBytes(bytes)
            guard reader.next() == mark else { return nil }
            let (length, type, payload) = (reader.next(UInt32.self), reader.next(UInt32.self), reader.next(UInt32.self))
            let head = UnsafeRawBufferPointer(rebasing: bytes[..<20])
            guard reader.next() == CRC32C.checksum(head, after: seed), length <= SnapshotRecord.limit else {
                return nil
            }
            return (Int(length), type, payload)
        }
        guard let frame else { return .damaged }
        let count = SnapshotRecord.frameCount + frame.length
        guard window.fill(count) else { return .short }
        return window.withBytes { bytes in
            let payload = UnsafeRawBufferPointer(rebasing: bytes[SnapshotRecord.frameCount..<count])
            // The length may be right and bytes be missing: only the next mark tells where the next record is.
            guard CRC32C.checksum(payload, after: seed) == frame.checksum else { return .damaged }
            guard let record = SnapshotRecord(type: frame.type, payload) else { return .senseless(count) }
            return .record(record, count)
        }
    }
}
