internal import GalletaPlatform
internal import Logging

extension SessionManager {
    /// Logs what needs attention and tells the configuration's closure.
    func emit(_ event: SessionEvent) {
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
            guard let suppressed = throttle.pass("\(error.reason)") else { break }
            logger.error(
                "the session store failed", metadata: ["error": "\(error)", "suppressed": "\(suppressed)"])
        case .lost:
            logger.debug("a session vanished during a request; its changes were dropped")
        case .created, .rotated, .destroyed:
            break
        }
        configuration.onEvent?(event)
    }
}
