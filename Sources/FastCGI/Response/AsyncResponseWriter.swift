/// Where the closure of an async stream writes.
///
/// A write suspends while more than 64 KiB have not been sent: a client that reads slowly slows its stream down and holds no
/// thread. Small writes are gathered; ``flush()`` sends them at once.
///
/// Threading: usable from any task while the closure runs; not afterwards.
public struct AsyncResponseWriter: Sendable {
    let buffer: StreamBuffer

    /// Writes text in UTF-8.
    ///
    /// - Throws: ``ResponseError`` when the web server has gone or more is written than was declared.
    public func write(_ text: String) async throws(ResponseError) {
        var text = text
        try text.withBytes { bytes throws(ResponseError) in try buffer.write(bytes, flush: false) }
        try await buffer.waitForRoom()
    }

    /// Writes bytes.
    ///
    /// - Throws: ``ResponseError`` when the web server has gone or more is written than was declared.
    public func write(_ bytes: [UInt8]) async throws(ResponseError) {
        try bytes.withUnsafeBufferPointer { bytes throws(ResponseError) in
            try buffer.write(UnsafeRawBufferPointer(bytes), flush: false)
        }
        try await buffer.waitForRoom()
    }

    /// Sends what was gathered.
    ///
    /// - Throws: ``ResponseError`` when the web server has gone.
    public func flush() throws(ResponseError) {
        try buffer.write(UnsafeRawBufferPointer(start: nil, count: 0), flush: true)
    }
}

/// Where the closure of an event stream sends its events (HTML Standard, section 9.2, "Server-sent events").
///
/// Each event is sent at once. A client that reads slowly suspends its sender.
///
/// Threading: usable from any task while the closure runs; not afterwards.
public struct EventWriter: Sendable {
    let writer: AsyncResponseWriter

    /// Sends one event.
    ///
    /// - Parameters:
    ///   - data: The text; its lines become lines of data.
    ///   - event: The event's type, one line; "message" for the client if nil.
    ///   - id: What the client sends as `Last-Event-ID` when it comes back; one line.
    /// - Throws: ``ResponseError`` when the client has gone or the server stops, and for a type or id that is more than a line.
    public func send(_ data: String, event: String? = nil, id: String? = nil) async throws(ResponseError) {
        var text = ""
        try append("event", event, to: &text)
        try append("id", id, to: &text)
        // Of the line ends that the client knows none may stay: it would read what follows as a field.
        for line in data.split(omittingEmptySubsequences: false, whereSeparator: \.isEventLineEnd) {
            text += "data: \(line)\n"
        }
        text += "\n"
        try text.withBytes { bytes throws(ResponseError) in try writer.buffer.write(bytes, flush: true) }
        try await writer.buffer.waitForRoom()
    }

    private func append(_ name: String, _ value: String?, to text: inout String) throws(ResponseError) {
        guard let value else { return }
        guard !value.utf8.contains(where: { $0 == 0x0a || $0 == 0x0d || $0 == 0 }) else {
            throw ResponseError(.eventField(name))
        }
        text += "\(name): \(value)\n"
    }
}

extension String {
    /// Calls `body` with the text in UTF-8, and passes its error on with its type.
    mutating func withBytes<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let result = withUTF8 { bytes in
            Result { () throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
        }
        try result.get()
    }
}

extension Character {
    /// CR, LF or both: one Character in each case.
    fileprivate var isEventLineEnd: Bool { self == "\n" || self == "\r" || self == "\r\n" }
}
