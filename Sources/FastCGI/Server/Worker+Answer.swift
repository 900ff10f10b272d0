internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import HTTPTypes
internal import Logging

extension Worker {
    /// What to do with a connection after its request.
    enum Disposition {
        case keep
        case close
        /// The answer waits for the peer to read.
        case departing(Departure)
    }

    /// Lets libfcgi read the request, runs the handler, sends the answer and leaves the connection at the next request's
    /// first byte, or says that it must be closed.
    ///
    /// - Parameter arrival: The request, if its body did not come with its head: both have been taken off the connection.
    func answer(_ head: HeadCheck.Head, _ slot: Int, _ fd: Int32, _ arrival: Arrival?) -> Disposition {
        let start = arrival?.startedAt ?? .now
        if let arrival {
            context = arrival.context
            context.executor = executor
        }
        // Of a request that waits on the connection, checked, it reads all from there; what was taken off it comes from
        // memory, and its body is the worker's affair.
        let isRead =
            arrival == nil
            ? library.read([], thenFrom: fd, answeringTo: fd)
            : library.read(head.records(UnsafeRawBufferPointer(context.bytes)), answeringTo: fd)
        guard isRead else {
            engine.refusals.log("libfcgi", "closed a connection: libfcgi could not read the request")
            return .close
        }
        let deadline = start.advanced(by: engine.configuration.handlerTimeout)
        engine.table.withSlot(slot) { slot in
            slot.phase = .running
            slot.waiting = .request
            slot.hasServed = true
            slot.deadline = deadline
            slot.worker = index
            slot.unanswered = ConnectionTable.Unanswered(context: context, startedAt: start)
        }
        engine.counters.begin()
        defer { engine.counters.end() }

        context.role = head.isAuthorizer ? .authorizer : .responder
        context.contentLength = nil
        context.output.withLock { $0.errorStream = library.errors }
        let (response, method) = respond(arrival)
        // Before the answer: nginx stops sending a body once it sees one, and both sides would wait for each other.
        // The closure of a streamed answer may still read it.
        if case .stream(let length, let write) = response.body {
            let output = ResponseOutput(stream: library.output, fd: fd, requestID: head.requestID)
            let (status, wasWritten) = stream(response, length, write, method, output)
            if let status {
                let keeps = wasWritten && finishBody(head) && head.keepsConnection
                let end = OutgoingAnswer(status: status, endOf: head.requestID, keepsConnection: keeps)
                return send(end, slot, fd, start, deadline, isWhole: wasWritten)
            }
        }
        let keeps = finishBody(head) && head.keepsConnection
        let answer = outgoing(response, method, head.requestID, keepsConnection: keeps)
        return send(answer, slot, fd, start, deadline, isWhole: true)
    }

    /// Goes on with an answer that the connection did not take at once.
    func resume(_ departure: Departure, _ fd: Int32) -> Disposition {
        switch departure.send(on: fd, isServing: { engine.stage == .serving }) {
        case .blocked: return .departing(departure)
        case .done:
            engine.end(departure.context, departure.startedAt, departure.status, wasSent: true)
            return departure.endsKept ? .keep : .close
        case .failed(let error):
            cut(departure.context, error)
            engine.end(departure.context, departure.startedAt, departure.status, wasSent: false)
            return .close
        }
    }

    /// Lets go of libfcgi's request and sends the answer as far as the connection takes it.
    ///
    /// - Parameter isWhole: False if what was streamed so far broke off: nothing more is sent.
    private func send(
        _ answer: consuming OutgoingAnswer, _ slot: Int, _ fd: Int32, _ start: BootInstant, _ deadline: BootInstant,
        isWhole: Bool
    ) -> Disposition {
        let status = answer.status
        context.finish()
        // After an error nothing more may be sent, nor waited for: the web server shall see a cut answer.
        if !isWhole { cplatform_shutdown(fd) }
        let isOpen = library.finish() && isWhole
        guard isOpen else {
            end(slot, start, status, wasSent: false)
            return .close
        }
        switch answer.send(on: fd, isServing: { engine.stage == .serving }) {
        case .done:
            end(slot, start, status, wasSent: true)
            let keeps = answer.endsKept
            scratch = answer.takeBuffer()
            // One large head must not cost its memory for ever.
            if scratch.capacity > 256 << 10 { scratch = [] }
            return keeps ? .keep : .close
        case .blocked:
            // Cut in this very moment: the summary is made.
            guard takeSummary(slot) else { return .close }
            let departure = Departure(answer, context, startedAt: start, deadline: deadline)
            replaceContext()
            return .departing(departure)
        case .failed(let error):
            cut(context, error)
            end(slot, start, status, wasSent: false)
            return .close
        }
    }

    /// The answer to this worker's request has gone out, or never will.
    private func end(_ slot: Int, _ start: BootInstant, _ status: Int, wasSent: Bool) {
        if takeSummary(slot) { engine.end(context, start, status, wasSent: wasSent) }
    }

    /// False where who cut the connection has made the request's summary.
    private func takeSummary(_ slot: Int) -> Bool {
        engine.table.withSlot(slot) { $0.unanswered.take() != nil }
    }

    /// Runs the handler; its failure becomes an answer, too.
    private func respond(_ arrival: Arrival?) -> (Response, HTTPRequest.Method) {
        let limit = context.settings.maxBodyBytes
        context.input.withLock {
            $0 = arrival?.takeBody() ?? BodyState(source: .library(library.input), limit: limit)
        }
        var method = HTTPRequest.Method.get
        do {
            let request = try Request(context: context)
            method = request.method
            let declared = context.contentLength
            context.input.withLock { $0.declared = declared }
            guard let failure = request.failure ?? bodyFailure(arrival, declared, limit) else {
                return (try engine.handler(request), method)
            }
            guard let refusal = engine.refusal else { throw failure }
            return (try refusal(request, failure), method)
        } catch {
            return (failure(error), method)
        }
    }

    /// Why no handler may see the body.
    private func bodyFailure(_ arrival: Arrival?, _ declared: Int?, _ limit: Int) -> (any HTTPStatusError)? {
        if context.role == .responder, let declared, declared > limit {
            return RequestBodyError(.tooLarge(limit: limit))
        }
        return arrival?.failure
    }

    /// Streams a response. Without a status nothing was sent, and another answer has to take its place.
    private func stream(
        _ response: Response,
        _ length: Int?,
        _ write: (ResponseWriter) throws -> Void,
        _ method: HTTPRequest.Method,
        _ output: ResponseOutput
    ) -> (status: Int?, wasWritten: Bool) {
        do {
            try response.writeStream(
                length, write, to: output, method: method, scratch: &scratch, onLargeHead: warn(ofHead:))
            try output.flush()
            return (response.status.code, true)
        } catch let failure as Response.WriteFailure {
            guard failure.headWasSent else { return (nil, false) }
            cut(context, failure.error)
        } catch {
            cut(context, error)
        }
        return (response.status.code, false)
    }

    /// The answer as records; one that cannot be sent as it is becomes a 500.
    private func outgoing(
        _ response: Response, _ method: HTTPRequest.Method, _ requestID: UInt16, keepsConnection: Bool
    ) -> OutgoingAnswer {
        do throws(ResponseError) {
            return try response.outgoing(
                requestID: requestID, method: method, keepsConnection: keepsConnection, scratch: &scratch,
                onLargeHead: warn(ofHead:))
        } catch {
            log(error, status: 500)
            let plain = Response.bare(.internalServerError)
            // It needs no file, and its fields are sound: this cannot fail.
            return try! plain.outgoing(
                requestID: requestID, method: method, keepsConnection: keepsConnection, scratch: &scratch,
                onLargeHead: { _ in })
        }
    }

    private func warn(ofHead size: Int) {
        engine.refusals.log(
            "header size",
            "a response header of \(size) bytes exceeds nginx's default buffer of 4096; "
                + "set \"fastcgi_buffer_size 16k;\" or send fewer cookies"
        )
    }

    private func cut(_ context: RequestContext, _ error: any Error) {
        let isClosed = (error as? ResponseError)?.isClosed ?? false
        engine.logger.log(
            level: isClosed ? .debug : .error,
            "an answer was cut short: \(LogText.line("\(error)"))",
            metadata: metadata(of: context)
        )
    }

    /// The answer to an error: the client learns the status, the log the rest.
    private func failure(_ error: any Error) -> Response {
        let status = (error as? any HTTPStatusError)?.status ?? .internalServerError
        log(error, status: status.code)
        return .bare(status)
    }

    private func log(_ error: any Error, status: Int) {
        engine.logger.log(
            level: status >= 500 ? .error : .info,
            "request failed: \(LogText.line("\(error)"))",
            metadata: metadata(of: context).merging(["status": "\(status)"]) { $1 }
        )
    }

    private func metadata(of context: RequestContext) -> Logger.Metadata {
        ["request_id": "\(context.string(of: "REQUEST_ID").map(LogText.clean) ?? "-")"]
    }

    /// Brings STDIN to its end: what is left of a body would be parsed as the next request. False if it was cut short.
    private func finishBody(_ head: HeadCheck.Head) -> Bool {
        guard !head.hasNoBody else { return true }
        return context.input.withLock { $0.drain(into: buffer) }
    }
}
