/// One server-sent event, as a browser's `EventSource` would dispatch it (HTML Standard, section 9.2.6).
public struct TestEvent: Sendable, Equatable {
    /// The event's type; `message` where the server named none.
    public let type: String
    /// The lines of data, with line feeds in between.
    public let data: String
    /// The id that a browser would send as `Last-Event-ID`; empty where the server gave none so far.
    public let id: String

    /// - Parameters:
    ///   - data: The lines of data, with line feeds in between.
    ///   - type: The event's type.
    ///   - id: The id that a browser would send as `Last-Event-ID`.
    public init(_ data: String, type: String = "message", id: String = "") {
        self.type = type
        self.data = data
        self.id = id
    }
}

/// Reads events out of a stream's bytes, however those are cut. Lines end with LF, which is what servers send.
struct EventParser {
    private var rest: [UInt8] = []
    private var type = ""
    private var data: [String] = []
    private var id = ""

    /// Takes bytes, and returns the events that end in them.
    mutating func add(_ bytes: [UInt8]) -> [TestEvent] {
        rest += bytes
        var events: [TestEvent] = []
        var start = 0
        while let end = rest[start...].firstIndex(of: 0x0a) {
            let line = String(decoding: rest[start..<end], as: UTF8.self)
            start = end + 1
            if let event = take(line) { events.append(event) }
        }
        rest.removeFirst(start)
        return events
    }

    private mutating func take(_ line: String) -> TestEvent? {
        guard !line.isEmpty else {
            defer { (type, data) = ("", []) }
            // An id or a pause alone is no event.
            guard !data.isEmpty else { return nil }
            return TestEvent(data.joined(separator: "\n"), type: type.isEmpty ? "message" : type, id: id)
        }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var value = parts.count > 1 ? parts[1] : ""
        if value.first == " " { value = value.dropFirst() }
        switch parts[0] {
        case "event": type = String(value)
        case "data": data.append(String(value))
        case "id": id = String(value)
        default: break
        }
        return nil
    }
}
