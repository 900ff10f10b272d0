internal import GalletaPlatform
internal import Logging

/// Logs each kind of trouble with peers at most once a minute, so that a flood of it does not become a flood of lines.
final class RefusalLog: Sendable {
    private struct Entry {
        var lastLogged: BootInstant
        var suppressed = 0
    }

    private let logger: Logger
    private let entries = Locked<[String: Entry]>([:])

    init(logger: Logger) {
        self.logger = logger
    }

    /// - Parameters:
    ///   - kind: What is counted together; one of a fixed set, never a peer's words.
    ///   - message: The line.
    func log(_ kind: String, _ message: @autoclosure () -> String) {
        let now = BootInstant.now
        let suppressed: Int? = entries.withLock { entries in
            guard let entry = entries[kind] else {
                entries[kind] = Entry(lastLogged: now)
                return 0
            }
            guard entry.lastLogged.duration(to: now) >= .seconds(60) else {
                entries[kind]!.suppressed += 1
                return nil
            }
            entries[kind] = Entry(lastLogged: now)
            return entry.suppressed
        }
        guard let suppressed else { return }
        let text = message()
        if suppressed == 0 {
            logger.warning("\(text)")
        } else {
            logger.warning("\(text)", metadata: ["suppressed": "\(suppressed)"])
        }
    }
}
