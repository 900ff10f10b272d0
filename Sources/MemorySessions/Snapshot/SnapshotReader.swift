/// Reads a snapshot from a stream of bytes and trusts none of them. Needs no store.
///
/// Memory: 512 KiB, or one record if it is larger.
enum SnapshotReader {
    /// - Parameters:
    ///   - source: Gives the bytes, in pieces of any size.
    ///   - kind: Whose sessions they are to be.
    ///   - begin: Called once, with the header, before the first record.
    ///   - visit: Called with each session and removal that is whole, in the order of the file; false: it makes no sense.
    static func read(
        _ source: @escaping SnapshotWindow.Source, as kind: SnapshotHeader.Kind = .own, begin: (SnapshotHeader) -> Void,
        visit: (StateRecord) -> Bool
    ) -> SnapshotReport {
        var window = SnapshotWindow(source)
        var report = SnapshotReport()
        let (outcome, found, isDamaged) = window.readHeaders(as: SnapshotHeader.self)
        report.outcome = outcome
        if isDamaged { report.damaged += 1 }
        guard let header = found else { return report }
        guard header.kind == kind else { return SnapshotReport(outcome: .foreign) }
        begin(header)
        readRecords(&window, mark: header.mark, &report, visit)
        return report
    }

    /// What the stream is, by its headers alone.
    static func outcome(
        _ source: @escaping SnapshotWindow.Source, as kind: SnapshotHeader.Kind = .own
    ) -> SnapshotReport.Outcome {
        var window = SnapshotWindow(source)
        let (outcome, header, _) = window.readHeaders(as: SnapshotHeader.self)
        return header.map { $0.kind == kind } ?? true ? outcome : .foreign
    }

    private enum Step {
        case session(Int)
        case removal(Int)
        case end(sessions: UInt64, removals: UInt64)
        /// Its checksum is right, so its length is.
        case senseless(Int)
        case damaged
        case short
    }

    private static func readRecords(
        _ window: inout SnapshotWindow, mark: UInt64, _ report: inout SnapshotReport, _ visit: (StateRecord) -> Bool
    ) {
        // A stretch of damage counts once, until the next record.
        var isLost = false
        var counts: (sessions: UInt64, removals: UInt64) = (0, 0)
        while window.fill(1) {
            switch step(&window, mark: mark, visit) {
            case .session(let count):
                isLost = false
                counts.sessions += 1
                report.records += 1
                window.skip(count)
            case .removal(let count):
                isLost = false
                counts.removals += 1
                report.records += 1
                window.skip(count)
            case .end(let sessions, let removals):
                report.isCut = report.damaged == 0 && counts != (sessions, removals)
                return
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

    private static func step(_ window: inout SnapshotWindow, mark: UInt64, _ visit: (StateRecord) -> Bool) -> Step {
        guard window.fill(SnapshotFrame.byteCount) else { return .short }
        let seed = UInt32(truncatingIfNeeded: mark)
        let frame = window.withBytes { bytes -> (length: Int, type: UInt32, checksum: UInt32)? in
            var reader = SnapshotBytes(bytes)
            guard reader.next() == mark else { return nil }
            let (length, type, payload) = (reader.next(UInt32.self), reader.next(UInt32.self), reader.next(UInt32.self))
            let head = UnsafeRawBufferPointer(rebasing: bytes[..<20])
            guard reader.next() == CRC32C.checksum(head, after: seed), length <= SnapshotFrame.limit else {
                return nil
            }
            return (Int(length), type, payload)
        }
        guard let frame else { return .damaged }
        let count = SnapshotFrame.byteCount + frame.length
        guard window.fill(count) else { return .short }
        return window.withBytes { bytes in
            let payload = UnsafeRawBufferPointer(rebasing: bytes[SnapshotFrame.byteCount..<count])
            // The length may be right and bytes be missing: only the next mark tells where the next record is.
            guard CRC32C.checksum(payload, after: seed) == frame.checksum else { return .damaged }
            switch frame.type {
            case 1: return visit(.session(payload)) ? .session(count) : .senseless(count)
            case 2: return visit(.removal(payload)) ? .removal(count) : .senseless(count)
            case 3:
                var reader = SnapshotBytes(payload)
                let step = Step.end(sessions: reader.next(), removals: reader.next())
                return reader.isShort || !reader.rest.isEmpty ? .senseless(count) : step
            default: return .senseless(count)
            }
        }
    }
}
