internal import CFastCGI
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
        /// libfcgi has closed it already.
        case closedByLibrary
    }

    /// Lets libfcgi read the request, runs the handler, writes the answer and leaves the connection at the next
    /// request's first byte, or says that it must be closed.
    ///
    /// - Parameter arrival: The request, if its body did not come with its head: both have been taken off the connection.
    func answer(_ head: HeadCheck.Head, _ slot: Int, _ fd: Int32, _ arrival: Arrival?) -> Disposition {
        let start = arrival?.startedAt ?? .now
        let request = protocolRequest
        if let arrival {
            context = arrival.context
            context.executor = executor
        }
        guard let source = arrival == nil ? fd : feed.fill(head, context.bytes) else {
            engine.refusals.log(
                "head feed", "closed a connection: \(String(cString: strerror(errno))); raise LimitNOFILE")
            return .close
        }
        // A preset descriptor with keepConnection 0 would be closed by FCGX_Accept_r, which first ends the "last"
        // request; without a listening socket it fails instead of accepting another connection.
        FCGX_InitRequest(request, -1, 0)
        FCGX_Detach(request)
        request.pointee.ipcFd = source
        request.pointee.keepConnection = 1
        guard FCGX_Accept_r(request) >= 0 else {
            engine.refusals.log("libfcgi", "closed a connection: libfcgi could not read the request")
            guard arrival != nil else { return .closedByLibrary }
            feed.forget()
            return .close
        }
        request.pointee.ipcFd = fd
        engine.table.withSlot(slot) { slot in
            slot.phase = .running
            slot.waiting = .request
            slot.hasServed = true
            slot.deadline = start.advanced(by: engine.configuration.handlerTimeout)
            slot.worker = index
        }
        engine.counters.begin()
        defer { engine.counters.end() }

        context.role = head.isAuthorizer ? .authorizer : .responder
        context.contentLength = nil
        context.output.withLock { $0.errorStream = request.pointee.err }
        let output = ResponseOutput(stream: request.pointee.out, fd: fd, requestID: head.requestID)
        let (status, wasWritten) = respond(head, output, arrival)
        // One large answer must not cost its memory for ever.
        if scratch.capacity > 256 << 10 { scratch = [] }
        let isInStep = wasWritten && finishBody(head)
        // Decided before END_REQUEST goes out: from then on the web server may send the next request.
        let mayKeep = head.keepsConnection && engine.stage == .serving
        let isLast = isInStep && head.keepsConnection && !mayKeep
        let isWhole = finishStreams(fd, wasWritten: wasWritten, farewell: isLast ? output : nil)
        if !wasWritten { engine.counters.count(engine.counters.failedWrites) }
        if let observer = engine.observer {
            observer(
                RequestSummary(
                    context: context,
                    startedAt: start,
                    status: status,
                    duration: start.duration(to: .now),
                    wasSent: wasWritten
                )
            )
        }
        return isWhole && isInStep && mayKeep ? .keep : .close
    }

    /// Runs the handler and writes its answer, or the answer to its failure. Returns the status, and whether all of the
    /// answer was written.
    private func respond(
        _ head: HeadCheck.Head, _ output: ResponseOutput, _ arrival: Arrival?
    ) -> (status: Int, wasWritten: Bool) {
        let limit = context.settings.maxBodyBytes
        context.input.withLock {
            $0 = arrival?.takeBody() ?? BodyState(source: .library(protocolRequest.pointee.in), limit: limit)
        }
        let response: Response
        var method = HTTPRequest.Method.get
        do {
            let request = try Request(context: context)
            method = request.method
            let declared = context.contentLength
            context.input.withLock { $0.declared = declared }
            if context.role == .responder, let declared, declared > limit {
                throw RequestBodyError(.tooLarge(limit: limit))
            }
            if let failure = arrival?.failure { throw failure }
            response = try engine.handler(request)
        } catch {
            response = failure(error)
        }
        // Before the answer: nginx stops sending a body once it sees one, and both sides would wait for each other.
        // The closure of a streamed answer may still read it.
        if case .stream = response.body {} else { _ = finishBody(head) }
        return write(response, method, output, mayReplace: true)
    }

    private func write(
        _ response: Response,
        _ method: HTTPRequest.Method,
        _ output: ResponseOutput,
        mayReplace: Bool
    ) -> (status: Int, wasWritten: Bool) {
        do {
            try response.write(to: output, method: method, scratch: &scratch) { size in
                engine.refusals.log(
                    "header size",
                    "a response header of \(size) bytes exceeds nginx's default buffer of 4096; "
                        + "set \"fastcgi_buffer_size 16k;\" or send fewer cookies"
                )
            }
            return (response.status.code, true)
        } catch {
            if !error.headWasSent, mayReplace {
                log(error.error, status: 500)
                return write(Self.plain(.internalServerError), method, output, mayReplace: false)
            }
            let isClosed = (error.error as? ResponseError)?.isClosed ?? false
            engine.logger.log(
                level: isClosed ? .debug : .error,
                "an answer was cut short: \(error.error)",
                metadata: requestMetadata
            )
            return (response.status.code, false)
        }
    }

    /// The answer to an error: the client learns the status, the log the rest.
    private func failure(_ error: any Error) -> Response {
        let status = (error as? any HTTPStatusError)?.status ?? .internalServerError
        log(error, status: status.code)
        return Self.plain(status)
    }

    private static func plain(_ status: HTTPResponse.Status) -> Response {
        .text("\(status.code) \(status.reasonPhrase)\n", status: status)
    }

    private func log(_ error: any Error, status: Int) {
        engine.logger.log(
            level: status >= 500 ? .error : .info,
            "request failed: \(error)",
            metadata: requestMetadata.merging(["status": "\(status)"]) { $1 }
        )
    }

    private var requestMetadata: Logger.Metadata {
        ["request_id": "\(context.string(of: "REQUEST_ID") ?? "-")"]
    }

    /// Brings STDIN to its end: what is left of a body would be parsed as the next request. False if it was cut short.
    private func finishBody(_ head: HeadCheck.Head) -> Bool {
        guard !head.hasNoBody else { return true }
        return context.input.withLock { $0.drain(into: buffer) }
    }

    /// Closes libfcgi's streams, which sends END_REQUEST. True if the connection can carry another request.
    ///
    /// - Parameter farewell: Ends the request on a connection that the web server wants to keep and the server does not.
    private func finishStreams(_ fd: Int32, wasWritten: Bool, farewell: ResponseOutput?) -> Bool {
        context.finish()
        let request = protocolRequest
        // After an error nothing more may be sent, nor waited for: the web server shall see a cut answer.
        if !wasWritten { cplatform_shutdown(fd) }
        if let farewell {
            let wasSent = FCGX_FFlush(request.pointee.err) == 0 && (try? farewell.endLastRequest()) != nil
            FCGX_Free(request, 0)
            return wasSent
        }
        let closedErrors = FCGX_FClose(request.pointee.err) == 0
        let closedOutput = FCGX_FClose(request.pointee.out) == 0
        let keeps = request.pointee.keepConnection != 0
        FCGX_Free(request, 0)
        return wasWritten && closedErrors && closedOutput && keeps
    }
}
