internal import GalletaPlatform
internal import Logging

/// What is known of the requests under way, by their ids: what was logged of them, and whether they are over.
///
/// Threading: any thread.
final class RequestBook: Sendable {
    private struct Entry {
        var lines: [String] = []
        var isOver = false
    }

    private let entries = Monitor([String: Entry]())

    /// A request is about to be sent.
    func open(_ id: String) {
        entries.withLock { $0[id] = Entry() }
    }

    /// Adds what was logged of a request; of one that nobody asks about, nothing is kept.
    func add(_ line: String, to id: String) {
        entries.withLock { $0[id]?.lines.append(line) }
    }

    /// The server is through with a request.
    func end(_ id: String) {
        entries.withLock { $0[id]?.isOver = true }
        entries.wake()
    }

    /// Takes what was logged of a request.
    ///
    /// - Parameter wait: How long to wait until the server is through with it: it closes a connection before it logs why.
    func take(_ id: String, waitingFor wait: Duration = .zero) -> [String] {
        entries.wait(until: { $0[id]?.isOver != false }, timeout: wait) { $0.removeValue(forKey: id)?.lines ?? [] }
    }
}

/// Passes on what the server logs, and books what belongs to a request.
struct RequestLogHandler: LogHandler {
    private var base: any LogHandler
    private let book: RequestBook

    init(_ base: any LogHandler, _ book: RequestBook) {
        self.base = base
        self.book = book
        // What became of a request is worth knowing in a test, whatever else is logged.
        logLevel = min(base.logLevel, .info)
    }

    var logLevel: Logger.Level

    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set {
            base[metadataKey: key] = newValue
            if key == "request_id" { handlersID = newValue.map { "\($0)" } }
        }
    }

    /// The id of the request whose handler has this logger (`Request.logger`).
    private var handlersID: String?

    func log(event: LogEvent) {
        let librarysID = event.metadata?["request_id"].map { "\($0)" }
        let id = librarysID ?? handlersID
        // The library says no more of a request than what went wrong; a handler may say anything.
        if let id, librarysID != nil || event.level >= .warning {
            book.add("\(event.level): \(event.message)", to: id)
        }
        // That a server starts and stops is no news where one does for each test.
        guard event.level >= base.logLevel, id != nil || event.level > .notice else { return }
        base.log(event: event)
    }
}
