internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import Sessions
internal import Synchronization

extension StateKeeper {
    /// Puts the sessions of the file into the store, which nobody else uses yet, and logs what came of it.
    func restore() {
        let input: StateInput
        do throws(StateFailure) {
            input = try StateInput(file.path)
        } catch {
            guard error.code != ENOENT, error.code != ENOTDIR else { return }
            let kept = aside(".refused")
            logger.error("sessions are not restored: \(error.text); \(error.remedy)\(kept)")
            return
        }
        let started = BootInstant.now
        let now = SnapshotTime(store.clock)
        var (shift, expired, refused): (Int64, Int, Int) = (0, 0, 0)
        let evicted = store.ledger.evicted.load(ordering: .relaxed)
        let report = SnapshotReader.read(input.read(into:)) { header in
            shift = header.time.shift(to: now)
        } visit: { record in
            switch record {
            case .session(let session):
                _ = store.removeRestored(session.digest)
                if session.slot(id: session.digest, shift: shift, at: now.clock).deadline <= now.clock {
                    expired += 1
                } else if !store.restore(session, shift: shift, at: now.clock) {
                    refused += 1
                }
            case .removal(let digest):
                _ = store.removeRestored(digest)
            case .end:
                break
            }
        }
        store.users.sort()
        switch report.outcome {
        case .empty:
            return
        case .unreadable:
            logger.error("sessions are not restored: \(file.path) is no state file, or damaged\(aside(".damaged"))")
        case .newer(let version):
            logger.error(
                "sessions are not restored: \(file.path) is of the newer version \(version)\(aside(".newer"))")
        case .read:
            let leftOut = refused + store.ledger.evicted.load(ordering: .relaxed) - evicted
            let time = started.duration(to: .now).milliseconds
            logger.info(
                "restored \(store.count) sessions from \(file.path) in \(time) ms; expired \(expired), damaged \(report.damaged), without room \(leftOut)"
            )
            if report.hasLosses {
                let end = report.isCut ? ", its end is missing" : ""
                logger.error(
                    "\(file.path) is damaged in \(report.damaged) places\(end); all else is restored\(aside(".damaged"))"
                )
            }
        }
    }

    private func aside(_ suffix: String) -> String {
        StateInput.keepAside(file.path, as: suffix).map { "; kept as \($0)" } ?? ""
    }
}
