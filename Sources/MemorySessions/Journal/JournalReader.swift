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
    ///   - kind: Whose changes they are to be.
    ///   - begin: Called once, with the header, before the first record; tells from which sequence on records count, or
    ///     nil for none.
    ///   - visit: Called with each record that is whole and counts, in the order of the file; false: it makes no sense.
    static func read(
        _ source: @escaping SnapshotWindow.Source, of kind: SnapshotHeader.Kind = .own,
        begin: (JournalHeader) -> UInt64?, visit: (StateRecord) -> Bool
    ) -> Report {
        var window = SnapshotWindow(source)
        var report = Report()
        let (outcome, found, isDamaged) = window.readHeaders(as: JournalHeader.self)
        report.outcome = outcome
        if isDamaged { report.damaged += 1 }
        guard let header = found else { return report }
        guard header.kind == kind else { return Report(outcome: .foreign) }
        guard let first = begin(header) else {
            report.belongs = false
            return report
        }
        readRecords(&window, header, from: first, &report, visit)
        return report
    }

    /// What the stream is, by its headers alone.
    static func outcome(
        _ source: @escaping SnapshotWindow.Source, of kind: SnapshotHeader.Kind
    ) -> SnapshotReport.Outcome {
        var window = SnapshotWindow(source)
        let (outcome, header, _) = window.readHeaders(as: JournalHeader.self)
        return header.map { $0.kind == kind } ?? true ? outcome : .foreign
    }

    private static func readRecords(
        _ window: inout SnapshotWindow, _ header: JournalHeader, from first: UInt64, _ report: inout Report,
        _ visit: (StateRecord) -> Bool
    ) {
        var expected = header.firstSequence
        // What was skipped since the last whole record: the end of the file, unless one follows.
        var skipped = 0
        while window.fill(1) {
            // One of the last number would be followed by none; no process comes near it.
            if let frame = frame(&window, header.mark), frame.sequence >= expected, frame.sequence < .max {
                if skipped > 0 || frame.sequence > expected { report.damaged += 1 }
                skipped = 0
                expected = frame.sequence + 1
                if frame.sequence >= first {
                    let isVisited = window.withBytes { bytes in
                        let payload = UnsafeRawBufferPointer(rebasing: bytes[JournalFrame.byteCount..<frame.count])
                        return record(frame.type, payload).map(visit) ?? false
                    }
                    if isVisited { report.records += 1 } else { report.damaged += 1 }
                }
                window.skip(frame.count)
            } else {
                let before = window.position
                window.skip(1)
                _ = window.seek(header.mark)
                skipped += window.position - before
            }
        }
        report.cutBytes = skipped
    }

    private static func record(_ type: UInt32, _ payload: UnsafeRawBufferPointer) -> StateRecord? {
        switch JournalRecordType(rawValue: type) {
        case .session: .session(payload)
        case .removal: .removal(payload)
        case .rotation: .rotation(payload)
        case nil: nil
        }
    }

    /// What stands where the window does, with the number of its bytes; nil: it is no whole record.
    private static func frame(
        _ window: inout SnapshotWindow, _ mark: UInt64
    ) -> (type: UInt32, sequence: UInt64, count: Int)? {
        guard window.fill(JournalFrame.byteCount) else { return nil }
        let frame = window.withBytes { bytes -> (length: Int, type: UInt32, sequence: UInt64, checksum: UInt32)? in
            var reader = SnapshotBytes(bytes)
            guard reader.next() == mark else { return nil }
            let (length, type) = (reader.next(UInt32.self), reader.next(UInt32.self))
            guard length <= SnapshotFrame.limit else { return nil }
            return (Int(length), type, reader.next(), reader.next())
        }
        guard let frame else { return nil }
        let count = JournalFrame.byteCount + frame.length
        guard window.fill(count) else { return nil }
        let checksum = window.withBytes {
            JournalFrame.checksum(UnsafeRawBufferPointer(rebasing: $0[..<count]), mark: mark)
        }
        return checksum == frame.checksum ? (frame.type, frame.sequence, count) : nil
    }
}
