/// Decides which log lines of a kind are written: one a minute, so that a flood of trouble does not become a flood of
/// lines.
///
/// Threading: usable from any thread.
package final class LogThrottle: Sendable {
    private struct Entry {
        var lastPassed: BootInstant
        var suppressed = 0
    }

    private let interval: Duration
    private let entries = Locked<[String: Entry]>([:])

    package init(interval: Duration = .seconds(60)) {
        self.interval = interval
    }

    /// How many lines were suppressed since the last one that passed; nil if this one is to be suppressed, too.
    ///
    /// - Parameter kind: What is counted together: one of a fixed set, never a peer's words.
    package func pass(_ kind: String, at now: BootInstant = .now) -> Int? {
        entries.withLock { entries in
            guard let entry = entries[kind] else {
                entries[kind] = Entry(lastPassed: now)
                return 0
            }
            guard entry.lastPassed.duration(to: now) >= interval else {
                entries[kind]!.suppressed += 1
                return nil
            }
            entries[kind] = Entry(lastPassed: now)
            return entry.suppressed
        }
    }
}
