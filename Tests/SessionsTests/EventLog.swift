import GalletaPlatform
import Sessions

/// The events of a manager, by name.
final class EventLog: Sendable {
    private let events = Locked<[String]>([])

    func append(_ event: SessionEvent) {
        events.withLock { $0.append("\(event)") }
    }

    func count(_ prefix: String) -> Int {
        events.withLock { $0.filter { $0.hasPrefix(prefix) }.count }
    }
}
