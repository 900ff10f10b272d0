internal import GalletaPlatform
internal import Logging

/// Logs each kind of trouble with peers at most once a minute.
final class RefusalLog: Sendable {
    private let logger: Logger
    private let throttle = LogThrottle()

    init(logger: Logger) {
        self.logger = logger
    }

    /// - Parameters:
    ///   - kind: What is counted together; one of a fixed set, never a peer's words.
    ///   - message: The line.
    func log(_ kind: String, _ message: @autoclosure () -> String) {
        guard let suppressed = throttle.pass(kind) else { return }
        let metadata: Logger.Metadata? = suppressed > 0 ? ["suppressed": "\(suppressed)"] : nil
        logger.warning("\(message())", metadata: metadata)
    }
}
