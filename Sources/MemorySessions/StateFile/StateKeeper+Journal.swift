internal import Dispatch
internal import GalletaPlatform
internal import Logging
internal import Sessions

extension StateKeeper {
    /// Begins the journal of this process, by a snapshot where the file that is there is needed until then.
    func beginJournal(_ journal: StateJournal, on restored: Restored) throws(ConfigurationError) {
        if restored.needsSnapshot {
            if write(isLast: false) == nil { retry() }
            return
        }
        do throws(StateFailure) {
            try journal.rebase(onto: restored.mark, after: 0, at: store.stateTime)
        } catch {
            guard error.isPassing else { throw error.refusal(of: file.path) }
            take(.failed(error))
        }
    }

    /// Begins a new journal on top of a state file that is in its place.
    func rebase(onto mark: UInt64, after sequence: UInt64) {
        do throws(StateFailure) {
            try journal?.rebase(onto: mark, after: sequence, at: store.stateTime)
        } catch {
            // The one until now goes on, if it can.
            let isBroken = journal?.isBroken ?? false
            reportJournal(error, isBroken: isBroken)
            if isBroken { retry() }
        }
    }

    /// What the journal tells, on its thread.
    func take(_ event: StateJournal.Event) {
        if case .failed(let failure) = event { reportJournal(failure, isBroken: true) }
        queue.async { [weak self] in self?.renewJournal() }
    }

    /// Takes a snapshot that begins a new journal, and again in a while if there is none then.
    private func renewJournal() {
        _ = write(isLast: false)
        if journal?.isBroken ?? false { retry() }
    }

    private func retry() {
        guard !isRetryDue else { return }
        isRetryDue = true
        let pause = min(Self.retryPause, file.interval)
        queue.asyncAfter(deadline: .now() + .nanoseconds(Int(pause.nanoseconds))) { [weak self] in
            guard let self else { return }
            isRetryDue = false
            if journal?.isBroken ?? false { renewJournal() }
        }
    }

    private func reportJournal(_ failure: StateFailure, isBroken: Bool) {
        guard let suppressed = throttle.pass(isBroken ? "journal" : "new journal") else { return }
        let more = suppressed > 0 ? " (and \(suppressed) times before)" : ""
        let what =
            isBroken
            ? "log-ins are refused, and log-outs may be undone by a crash"
            : "no new journal can be begun, and the one until now grows on"
        logger.error("\(what): \(failure.text)\(more); \(failure.remedy); it is tried again and again")
    }
}
