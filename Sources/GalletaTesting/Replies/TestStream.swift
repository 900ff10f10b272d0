internal import FastCGI
public import Galleta
internal import GalletaPlatform
public import HTTPTypes

/// An answer whose header has come, and whose content is read as it comes: for streams and events that do not end by
/// themselves.
///
/// Between two reads nothing is read: what the application writes fills the connection, as with a slow client. ``close()``
/// is the client's going; it is called when the stream is let go of.
///
/// Threading: one task or thread at a time; `close` from any.
public final class TestStream: @unchecked Sendable {
    // Safe: see threading.
    private let client: TestClient
    private let connection: TestConnection
    private let id: String
    private var reply: TestReply
    private var errorText: [UInt8] = []
    /// Content that came with the header, or with more than was asked for.
    private var pending: [UInt8]
    private var received = 0
    private var parser = EventParser()
    private var events: [ServerSentEvent] = []
    private var hasEnded = false

    /// The status.
    public var status: HTTPResponse.Status { reply.status }
    /// The header fields, in their order.
    public var headers: HTTPFields { reply.headers }

    /// Sends a request and waits for the header of its answer.
    ///
    /// - Parameter onConnect: Is given the connection before anything is sent, to end it.
    init(
        _ client: TestClient, _ request: TestRequest, onConnect: (TestConnection) -> Void = { _ in }
    ) throws {
        self.client = client
        let sending = client.sending(request)
        id = sending.id
        connection = try client.server.connect(sending.records)
        onConnect(connection)
        client.server.book.open(id)
        var output: [UInt8] = []
        do throws(TestClientError) {
            while true {
                if let head = try ReplyHead(from: &output) {
                    reply = TestReply(
                        request: request, isSecure: sending.isSecure, status: head.status, headers: head.headers)
                    break
                }
                switch connection.next(until: client.deadline) {
                case .record(.output(let bytes)): output += bytes
                case .record(.errors(let bytes)): errorText += bytes
                case .record(.end(let status)):
                    throw TestClientError(.malformed("it has no header (protocol status \(status))"))
                case .end: throw TestClientError(.cutShort(bytes: 0))
                case .timeout: throw TestClientError(.timedOut(client.timeout))
                }
            }
        } catch {
            client.server.close(connection)
            let errors = client.server.book.take(id, waitingFor: error.isCutShort ? .seconds(5) : .zero)
            throw TestClientError(error.code, of: request, errors: errors)
        }
        pending = output
        reply.refusedCookies = client.store(reply.headers[values: .setCookie], of: request, isSecure: sending.isSecure)
    }

    deinit {
        client.server.close(connection)
    }

    /// The client goes: the application finds the connection closed. What was not read is lost.
    public func close() {
        client.server.close(connection)
    }

    // MARK: Reading

    /// The next bytes of the content, as many as came together; nil at its end.
    ///
    /// - Throws: ``TestClientError`` when the answer breaks off, or nothing comes for the client's timeout.
    public func next() throws -> [UInt8]? {
        guard pending.isEmpty else {
            defer { pending = [] }
            received += pending.count
            return pending
        }
        while !hasEnded {
            switch connection.next(until: client.deadline) {
            case .record(.output(let bytes)):
                received += bytes.count
                return bytes
            case .record(.errors(let bytes)): errorText += bytes
            case .record(.end): finish()
            case .end: throw fail(.cutShort(bytes: received))
            case .timeout: throw fail(.timedOut(client.timeout))
            }
        }
        return nil
    }

    /// The next server-sent event; nil at the end of the stream. Comments, which keep the connection alive, are none.
    ///
    /// - Throws: ``TestClientError``, as `next`.
    public func nextEvent() throws -> ServerSentEvent? {
        while events.isEmpty {
            guard let bytes = try next() else { return nil }
            events = parser.add(bytes)
        }
        return events.removeFirst()
    }

    /// Reads to the end; what was read before is left out.
    ///
    /// - Throws: ``TestClientError`` when the answer breaks off, or nothing comes for the client's timeout.
    public func collect() throws -> TestReply {
        var body: [UInt8] = []
        do {
            while let bytes = try next() { body += bytes }
        } catch let error as TestClientError {
            var partial = reply
            partial.body = body
            throw TestClientError(error.code, of: reply.request, reply: partial, errors: error.errors)
        }
        reply.body = body
        return reply
    }

    private func finish() {
        hasEnded = true
        client.server.close(connection)
        note(client.server.book.take(id))
    }

    private func fail(_ code: TestClientError.Code) -> TestClientError {
        hasEnded = true
        client.server.close(connection)
        let error = TestClientError(code)
        note(client.server.book.take(id, waitingFor: error.isCutShort ? .seconds(5) : .zero))
        return TestClientError(code, of: reply.request, reply: reply, errors: reply.errors)
    }

    private func note(_ errors: [String]) {
        reply.errors = errors
        reply.errorStream = String(decoding: errorText, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

extension TestStream {
    /// The next bytes of the content, without holding a thread of the test's.
    public func next() async throws -> [UInt8]? {
        try await Aside.run({ [self] in try next() }, onCancel: connection.close)
    }

    /// The next server-sent event, without holding a thread of the test's.
    public func nextEvent() async throws -> ServerSentEvent? {
        try await Aside.run({ [self] in try nextEvent() }, onCancel: connection.close)
    }

    /// Reads to the end, without holding a thread of the test's.
    public func collect() async throws -> TestReply {
        try await Aside.run({ [self] in try collect() }, onCancel: connection.close)
    }
}
