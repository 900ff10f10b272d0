internal import GalletaPlatform
internal import Glibc
public import Logging

/// Log lines on descriptor 2 that never hold up a request: time in UTC, level, message, metadata sorted by key.
///
/// A handler of logs is called on the workers' threads, and one that blocks holds up the requests: a stalled reader of
/// a pipe can stop a whole server that way. Lines of this one gather in memory, up to 1 MiB, and a thread of its own
/// writes them; what does not fit or cannot be written is dropped, counted and said later.
///
/// ```swift
/// let logger = Logger(label: "shop") { _ in LineLogHandler() }
/// let app = Application(sessions: sessions, logger: logger)
/// ```
///
/// When the process ends by `exit` or by the end of `main`, it waits for the last lines for one second at most; lines of
/// the last millisecond are lost if it ends in another way. Threading: usable from any thread.
public struct LineLogHandler: LogHandler {
    /// Messages below this level are not written. Where an operator has set one for the whole process, that counts.
    public var logLevel: Logger.Level {
        get { writer.level ?? ownLevel }
        set { ownLevel = newValue }
    }
    private var ownLevel: Logger.Level
    /// What each line ends with, as `key=value`.
    public var metadata: Logger.Metadata
    /// What the surroundings of a line add to it; by default the id of the request (`Application.providesLogMetadata`).
    public var metadataProvider: Logger.MetadataProvider? = .galleta
    private let writer: LogWriter

    /// Makes a handler; all of a process write to the same log.
    public init(logLevel: Logger.Level = .info, metadata: Logger.Metadata = [:]) {
        self.init(logLevel: logLevel, metadata: metadata, writer: .standardError)
    }

    package init(logLevel: Logger.Level = .info, metadata: Logger.Metadata = [:], writer: LogWriter) {
        ownLevel = logLevel
        self.metadata = metadata
        self.writer = writer
    }

    /// A value that each line ends with.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Has a line written; returns at once.
    public func log(event: LogEvent) {
        var all = metadata
        if let more = metadataProvider?.get(), !more.isEmpty { all.merge(more) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        writer.write(Self.line(event.level, event.message.description, all))
    }

    /// One line of the log, with its line break.
    static func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata = [:]) -> String {
        var line = timestamp() + " \(level.rawValue) "
        line += message
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
        // Line breaks inside would look like further lines.
        return LogText.line(line) + "\n"
    }

    /// The time as RFC 3339 with milliseconds.
    private static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        return padded(Int(parts.tm_year) + 1900, 4) + "-" + padded(Int(parts.tm_mon) + 1, 2) + "-"
            + padded(Int(parts.tm_mday), 2)
            + "T" + padded(Int(parts.tm_hour), 2) + ":" + padded(Int(parts.tm_min), 2) + ":"
            + padded(Int(parts.tm_sec), 2)
            + "." + padded(now.tv_nsec / 1_000_000, 3) + "Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
