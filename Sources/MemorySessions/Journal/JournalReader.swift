/// Reads a journal from a stream of bytes and trusts none of them. Needs no store.
///
/// What stands whole behind a damaged place is read, too: it says how sessions were later than what stands before it.
enum JournalReader {
    /// What the reading of a journal brought.
    struct Report: Equatable {
        var outcome = SnapshotReport.Outcome.empty
        /// False: it belongs to another state file, and none of its records counts.
        var belongs = true
        /// Records that were handed on.
        var records = 0
        /// Places in the middle where records are damaged or missing.
        var damaged = 0
        /// Bytes at the end that are no whole record, as a crash leaves them.
        var cutBytes = 0
    }

    /// - Parameters:
    ///   - source: Gives the bytes, in pieces of any size.
    ///   - begin: Called once, with the header, before the first record; tells from which sequence on records count, or
    ///     nil for none.
    ///   - visit: Called with each record that is whole and counts, in the order of the file.
    static func read(
        _ source: @escaping SnapshotWindow.Source, begin: (JournalHeader) -> UInt64?, visit: (JournalRecord) -> Void
    ) -> Report {
        var window = SnapshotWindow(source)
        var report = Report()
        let (outcome, found, isDamaged) = window.readHeaders(as: JournalHeader.self)
        report.outcome = outcome
        if isDamaged { report.damaged += 1 }
        guard let header = found else { return report }
        guard let first = begin(header) else {
            report.belongs = false
            return report
        }
        readRecords(&window, header, from: first, &report, visit)
        return report
    }

    /// What the stream is, by its headers alone.
    static func outcome(_ source: @escaping SnapshotWindow.Source) -> SnapshotReport.Outcome {
        var window = SnapshotWindow(source)
        return window.readHeaders(as: JournalHeader.self).outcome
    }

    private static func readRecords(
        _ window: inout SnapshotWindow, _ header: JournalHeader, from first: UInt64, _ report: inout Report,
        _ visit: (JournalRecord) -> Void
    ) {
        var expected = header.firstSequence
        // What was skipped since the last whole record: the end of the file, unless one follows.
        var skipped = 0
        while window.fill(1) {
            if let (record, sequence, count) = record(&window, header.mark), sequence >= expected {
                if skipped > 0 || sequence > expected { report.damaged += 1 }
                skipped = 0
                expected = sequence + 1
                window.skip(count)
                guard let record else {
                    report.damaged += 1
                    continue
                }
                guard sequence >= first else { continue }
                report.records += 1
                visit(record)
            } else {
                let before = window.position
                window.skip(1)
                _ = window.seek(header.mark)
                skipped += window.position - before
            }
        }
        report.cutBytes = skipped
    }

    /// The record where the window stands; nil: it is not whole. Without a record: whole, but senseless.
    private static func record(
        _ window: inout SnapshotWindow, _ mark: UInt64
    ) -> (record: JournalRecord?, sequence: UInt64, count: Int)? {
        guard window.fill(JournalRecord.frameCount) else { return nil }
        let frame = window.withBytes { bytes -> (length: Int, type: UInt32, sequence: UInt64, checksum: UInt32)? in
            var reader = SnapshotBytes(bytes)
            guard reader.next() == mark else { return nil }
            let (length, type) = (reader.next(UInt32.self), reader.next(UInt32.self))
            guard length <= SnapshotRecord.limit else { return nil }
            return (Int(length), type, reader.next(), reader.next())
        }
        guard let frame else { return nil }
        let count = JournalRecord.frameCount + frame.length
        guard window.fill(count) else { return nil }
        return window.withBytes { bytes in
            let whole = UnsafeRawBufferPointer(rebasing: bytes[..<count])
            guard JournalRecord.checksum(whole, mark: mark) == frame.checksum else { return nil }
            let payload = UnsafeRawBufferPointer(rebasing: whole[JournalRecord.frameCount...])
            return (JournalRecord(type: frame.type, payload), frame.sequence, count)
        }
    }
}
