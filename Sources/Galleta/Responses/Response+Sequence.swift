public import FastCGI
public import HTTPTypes

extension Response {
    /// Text that comes piece by piece, each sent as it comes. A client that reads slowly slows the sequence down, and one
    /// that has gone ends it; no thread waits.
    ///
    /// - Parameters:
    ///   - pieces: The body. What it throws ends the connection, so that the web server sees a cut answer and no complete one.
    ///   - type: The media type.
    public static func sequence<Pieces: AsyncSequence & Sendable>(
        _ pieces: Pieces, type: String, status: HTTPResponse.Status = .ok
    ) -> Response where Pieces.Element: StringProtocol & Sendable {
        .asyncStream(type: type, status: status) { writer in
            for try await piece in pieces {
                try await writer.write(String(piece))
                try writer.flush()
            }
        }
    }

    /// Bytes that come piece by piece; as ``sequence(_:type:status:)-(_,_,_)`` of text.
    ///
    /// - Parameter length: The number of all bytes, if it is known: exactly so many must come.
    public static func sequence<Pieces: AsyncSequence & Sendable>(
        _ pieces: Pieces, type: String, status: HTTPResponse.Status = .ok, length: Int? = nil
    ) -> Response where Pieces.Element == [UInt8] {
        .asyncStream(type: type, status: status, length: length) { writer in
            for try await piece in pieces {
                try await writer.write(piece)
                try writer.flush()
            }
        }
    }

    /// Server-sent events from a sequence, until it ends or the client goes; see `events(_:)` of `FastCGI` for comments,
    /// stops and back-pressure.
    ///
    /// ```swift
    /// app.get("/news") { _, _ in
    ///     .events(from: news.updates()) { ServerSentEvent($0.text, id: $0.id) }
    /// }
    /// ```
    public static func events<Items: AsyncSequence & Sendable>(
        from items: Items, _ event: @escaping @Sendable (Items.Element) throws -> ServerSentEvent
    ) -> Response where Items.Element: Sendable {
        .events { writer in
            for try await item in items {
                let event = try event(item)
                try await writer.send(event.data, event: event.type, id: event.id)
            }
        }
    }
}

/// One server-sent event (HTML Standard, section 9.2).
public struct ServerSentEvent: Sendable, Equatable {
    /// The text; may have several lines.
    public var data: String
    /// The type, one line; the client takes nil for "message".
    public var type: String?
    /// What the client sends as `Last-Event-ID` when it comes back; one line.
    public var id: String?

    /// - Parameters:
    ///   - data: The text.
    ///   - type: The type.
    ///   - id: What the client names when it comes back.
    public init(_ data: String, type: String? = nil, id: String? = nil) {
        self.data = data
        self.type = type
        self.id = id
    }
}
