internal import GalletaPlatform
internal import Logging

extension SessionManager {
    /// Logs what needs attention and tells the configuration's closure.
    func emit(_ event: SessionEvent) {
        counters.count(event)
        let logger = configuration.logger
        switch event {
        case .undecodable(let key, let type):
            // After a deploy that changed a type, each request may meet one.
            guard let suppressed = throttle.pass("undecodable \(type)") else { break }
            logger.warning(
                "a session value no longer decodes; it reads as nil and is kept",
                metadata: ["key": "\(key)", "type": "\(type)", "suppressed": "\(suppressed)"])
        case .storeFailed(let error):
            // Each request meets a store that is down or full.
            guard let suppressed = throttle.pass("\(error.reason) \(error.message)") else { break }
            logger.error(
                "the session store failed", metadata: ["error": "\(error)", "suppressed": "\(suppressed)"])
        case .idReused(let age):
            guard let suppressed = throttle.pass("reused") else { break }
            logger.warning(
                "a session id was used after it had been replaced: a stolen cookie, or an old one restored",
                metadata: ["seconds_since": "\(age.components.seconds)", "suppressed": "\(suppressed)"])
        case .secondSession:
            guard let suppressed = throttle.pass("second") else { break }
            logger.warning(
                "a request offered two live sessions; the first counts: is another site of the domain setting our cookie?",
                metadata: ["suppressed": "\(suppressed)"])
        case .newSessionRefused:
            guard let suppressed = throttle.pass("refused") else { break }
            logger.warning(
                "new sessions are refused to a client's network (newSessionLimit)",
                metadata: ["suppressed": "\(suppressed)"])
        case .revoked:
            logger.info("a session ended: its user is gone or has a new credential")
        case .lost:
            logger.debug("a session vanished during a request; its changes were dropped")
        case .created, .rotated, .destroyed:
            break
        }
        configuration.onEvent?(event)
    }

    /// What was counted since the manager was made, the store's own counts included.
    public var metrics: SessionMetrics {
        var metrics = counters.metrics
        metrics.store = try? provider.statistics()
        metrics.settings = Dictionary(uniqueKeysWithValues: configuration.effectiveSettings.map { ($0.name, $0.value) })
        return metrics
    }
}
