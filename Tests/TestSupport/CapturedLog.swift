internal import GalletaPlatform
public import Logging

/// Keeps every log line.
public final class CapturedLog: LogHandler, @unchecked Sendable {
    // Safe: the lines are behind a lock, the rest is set before the first line.
    private let kept = Locked<[String]>([])
    public var metadata: Logger.Metadata = [:]
    public var logLevel = Logger.Level.trace

    public init() {}

    public var lines: [String] { kept.withLock { $0 } }

    public var text: String { lines.joined(separator: "\n") }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    public func log(event: LogEvent) {
        let line = "\(event.level) \(event.message) \(event.metadata ?? [:])"
        kept.withLock { $0.append(line) }
    }
}
