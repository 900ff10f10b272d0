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

    /// Lets libfcgi read the request that has been taken in, runs the handler, and sends the answer as far as the
    /// connection takes it.
    func answer(_ reading: Reading) -> Disposition {
        let (context, check, fd) = (intake.context, intake.check, reading.fd)
        context.executor = executor
        guard library.read(intake, answeringTo: fd) else {
            engine.refusals.log("libfcgi", "closed a connection: libfcgi could not read the request")
            return .close
        }
        let start = intake.startedAt
        // The time of a request that came too late is over: its answer gets some of its own.
        let deadline = intake.isLate ? .now.advanced(by: engine.configuration.writeTimeout) : intake.deadline
        engine.table.withSlot(reading.slot) { slot in
            slot.phase = .running
            slot.hasServed = true
            slot.deadline = deadline
            slot.worker = index
            slot.unanswered = ConnectionTable.Unanswered(context: context, startedAt: start)
        }
        engine.counters.begin()
        defer { engine.counters.end() }

        context.output.withLock { $0.errorStream = library.errors }
        let (response, method) = respond(context)
        // A connection that is not at the next request's first byte can carry none.
        let keeps = check.keepsConnection && intake.isInStep
        if case .stream(let length, let write) = response.body {
            let output = ResponseOutput(stream: library.output, fd: fd, requestID: check.requestID)
            let (status, wasWritten) = stream(response, length, write, method, output)
            if let status {
                let end = OutgoingAnswer(
                    status: status, endOf: check.requestID, keepsConnection: wasWritten && keeps)
                return send(end, reading.slot, fd, start, deadline, isWhole: wasWritten)
            }
        }
        let answer = outgoing(response, method, check.requestID, keepsConnection: keeps)
        return send(answer, reading.slot, fd, start, deadline, isWhole: true)
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
        let (status, context) = (answer.status, intake.context)
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
            return .departing(departure)
        case .failed(let error):
            cut(context, error)
            end(slot, start, status, wasSent: false)
            return .close
        }
    }

    /// The answer to this worker's request has gone out, or never will.
    private func end(_ slot: Int, _ start: BootInstant, _ status: Int, wasSent: Bool) {
        if takeSummary(slot) { engine.end(intake.context, start, status, wasSent: wasSent) }
    }

    /// False where who cut the connection has made the request's summary.
    private func takeSummary(_ slot: Int) -> Bool {
        engine.table.withSlot(slot) { $0.unanswered.take() != nil }
    }

    /// Runs the handler; its failure becomes an answer, too.
    private func respond(_ context: RequestContext) -> (Response, HTTPRequest.Method) {
        let bodyFailure = intake.failure
        context.input.withLock { $0 = BodyState(library.input, failure: bodyFailure) }
        var method = HTTPRequest.Method.get
        do {
            let request = try Request(context: context)
            method = request.method
            guard let failure: any HTTPStatusError = request.failure ?? bodyFailure else {
                return (try engine.handler(request), method)
            }
            guard let refusal = engine.refusal else { throw failure }
            return (try refusal(request, failure), method)
        } catch {
            return (failure(error), method)
        }
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
            cut(intake.context, failure.error)
        } catch {
            cut(intake.context, error)
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
            metadata: metadata(of: intake.context).merging(["status": "\(status)"]) { $1 }
        )
    }

    private func metadata(of context: RequestContext) -> Logger.Metadata {
        ["request_id": "\(context.string(of: "REQUEST_ID").map(LogText.clean) ?? "-")"]
    }
}
