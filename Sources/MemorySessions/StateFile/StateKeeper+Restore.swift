internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import Sessions
internal import Synchronization

extension StateKeeper {
    /// What a start has found.
    struct Restored {
        /// The mark of the state file; 0: there is none.
        var mark: UInt64 = 0
        /// Whether the journal has what the state file has not.
        var needsSnapshot = false
    }

    /// Puts the sessions of the files into the store, which nobody else uses yet, and logs what came of it.
    ///
    /// - Throws: Where a file is of a newer version: a newer program is to be started again, or the files be given up.
    func restore() throws(ConfigurationError) -> Restored {
        var restored = Restored()
        switch try restoreState() {
        case .read(let header):
            restored.mark = header.mark
            restored.needsSnapshot = try restoreJournal(of: header) { $0.firstSequence(after: header) }
        case .none:
            restored.needsSnapshot = try restoreJournal { $0.firstSequence(after: nil) }
        case .unreadable:
            restored.needsSnapshot = try restoreJournal(from: \.firstSequence)
        case .refused:
            _ = try restoreJournal { _ in nil }
        }
        store.endRestoring()
        return restored
    }

    private enum State {
        case read(SnapshotHeader)
        case none, unreadable, refused
    }

    /// A file of the keeper's; nil when there is none, or it is refused, which is logged.
    private func open(_ path: String, _ what: String) -> (input: StateInput?, isRefused: Bool) {
        do throws(StateFailure) {
            return (try StateInput(path), false)
        } catch {
            guard error.code != ENOENT, error.code != ENOTDIR else { return (nil, false) }
            logger.error("\(what) are not restored: \(error.text); \(error.remedy)\(aside(path, ".refused"))")
            return (nil, true)
        }
    }

    private func restoreState() throws(ConfigurationError) -> State {
        let (input, isRefused) = open(file.path, store.stateName)
        guard let input else { return isRefused ? .refused : .none }
        let started = BootInstant.now
        var restoration = StateRestoration(store.stateTime)
        var header: SnapshotHeader?
        let evicted = store.evictionCount
        let report = SnapshotReader.read(input.read(into:), as: store.stateKind) {
            restoration.shift = $0.time.shift(to: restoration.now)
            header = $0
        } visit: {
            store.restore($0, isJournalled: false, &restoration)
        }
        switch report.outcome {
        case .empty:
            return .none
        case .unreadable:
            logger.error(
                "\(store.stateName) are not restored: \(file.path) is no state file, or damaged\(aside(file.path, ".damaged"))"
            )
            return .unreadable
        case .foreign:
            throw MemoryProvider.StateFile.foreign(file.path)
        case .newer(let version):
            throw newer(file.path, version)
        case .read:
            let leftOut = restoration.refused + store.evictionCount - evicted
            let time = started.duration(to: .now).milliseconds
            logger.info(
                "restored \(store.sessionCount) \(store.stateName) from \(file.path) in \(time) ms; expired \(restoration.expired), damaged \(report.damaged), without room \(leftOut)"
            )
            if report.hasLosses {
                let end = report.isCut ? ", its end is missing" : ""
                logger.error(
                    "\(file.path) is damaged in \(report.damaged) places\(end); all else is restored\(aside(file.path, ".damaged"))"
                )
            }
            return header.map { .read($0) } ?? .unreadable
        }
    }

    /// - Parameters:
    ///   - state: The header of the state file that it belongs to.
    ///   - first: From which sequence on records count; nil: none does.
    /// - Returns: Whether records counted.
    private func restoreJournal(
        of state: SnapshotHeader? = nil, from first: (JournalHeader) -> UInt64?
    ) throws(ConfigurationError) -> Bool {
        let path = JournalOutput.path(beside: file.path)
        // Of a process that has ended well there is none.
        let isExpected = state.map { $0.version > SnapshotHeader.versionWithoutJournal } ?? false
        let (found, isRefused) = open(path, "log-ins and log-outs")
        guard let input = found else {
            if isExpected, !isRefused { reportMissing("\(path) is not there, though the server was serving") }
            return false
        }
        var restoration = StateRestoration(store.stateTime)
        var hasGap = false
        let report = JournalReader.read(input.read(into:), of: store.stateKind) {
            restoration.shift = $0.time.shift(to: restoration.now)
            if let state, $0.journal == state.journal { hasGap = $0.firstSequence > state.nextSequence }
            return first($0)
        } visit: {
            store.restore($0, isJournalled: true, &restoration)
        }
        switch report.outcome {
        case .empty:
            if isExpected { reportMissing("\(path) is empty, though the server was serving") }
            return false
        case .foreign:
            throw MemoryProvider.StateFile.foreign(path)
        case .unreadable:
            logger.error(
                "log-ins and log-outs are not restored: \(path) is no journal, or damaged\(aside(path, ".damaged"))")
            return false
        case .newer(let version):
            throw newer(path, version)
        case .read:
            guard report.belongs else {
                logger.warning("\(path) is the journal of another state file: it is not used\(aside(path, ".unused"))")
                return false
            }
            if hasGap { reportMissing("\(file.path) is older than what \(path) goes on from") }
            if report.records > 0 {
                logger.info("restored \(report.records) log-ins, log-outs and rotations since then from \(path)")
            }
            if report.cutBytes > 0 {
                logger.notice(
                    "the last \(report.cutBytes) bytes of \(path) are no whole record, and were never answered for: they are cut off"
                )
            }
            if report.damaged > 0 {
                logger.error(
                    "\(path) is damaged in \(report.damaged) places; all else is restored\(aside(path, ".damaged"))")
            }
            return report.records > 0
        }
    }

    private func reportMissing(_ what: String) {
        logger.error("\(what): log-ins since the state file was written may be lost, and log-outs undone")
    }

    private func newer(_ path: String, _ version: UInt32) -> ConfigurationError {
        ConfigurationError(
            field: "state",
            reason: "\(path) is of the newer version \(version), which this program cannot read",
            remedy: "start the program that wrote it, or move it away to begin without its sessions")
    }

    private func aside(_ path: String, _ suffix: String) -> String {
        StateInput.keepAside(path, as: suffix).map { "; kept as \($0)" } ?? ""
    }
}
