internal import Galleta

/// Reads server-sent events out of a stream's bytes (HTML Standard, section 9.2.6), however those are cut. Lines end with LF,
/// which is what this library sends.
struct EventParser {
    private var rest: [UInt8] = []
    private var type: String?
    private var data: [String] = []
    private var id: String?

    /// Takes bytes, and returns the events that end in them.
    mutating func add(_ bytes: [UInt8]) -> [ServerSentEvent] {
        rest += bytes
        var events: [ServerSentEvent] = []
        var start = 0
        while let end = rest[start...].firstIndex(of: 0x0a) {
            let line = String(decoding: rest[start..<end], as: UTF8.self)
            start = end + 1
            if let event = take(line) { events.append(event) }
        }
        rest.removeFirst(start)
        return events
    }

    private mutating func take(_ line: String) -> ServerSentEvent? {
        guard !line.isEmpty else {
            defer { (type, data, id) = (nil, [], nil) }
            // An id or a pause alone is none.
            guard !data.isEmpty else { return nil }
            return ServerSentEvent(data.joined(separator: "\n"), type: type, id: id)
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
