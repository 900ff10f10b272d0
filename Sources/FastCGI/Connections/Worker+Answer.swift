internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import HTTPTypes
internal import Logging

extension Worker {
    /// Runs the handler of a request that has come in, and sends the answer as far as the connection takes it.
    func answer(_ exchange: Exchange, _ turn: Turn) -> Turn.Disposition {
        let context = exchange.context
        guard let key = begin(exchange, turn) else { return .close }
        engine.counters.begin()
        defer { engine.counters.end() }
        context.begin(
            exchange.spool, id: exchange.check.requestID, failure: exchange.bodyFailure, connection: turn.fd)
        context.time { $0.begunAt = .now }
        switch respond(exchange) {
        case .response(let response):
            context.time { $0.handledAt = .now }
            return send(response, of: exchange, turn, key)
        case .task(let body):
            context.detach()
            guard takeSummary(turn.slot) else { return .close }
            // An end that came with the request raises no event of its own.
            guard !cplatform_is_hung_up(turn.fd) else {
                engine.endLost(exchange)
                return .close
            }
            exchange.start(on: crew, body) { [crew] in crew.raise(key) }
            return .wait(.handler(exchange))
        }
    }

    /// The task of an async handler has ended.
    func deliver(_ outcome: Result<Response, any Error>, of exchange: Exchange, _ turn: Turn) -> Turn.Disposition {
        guard let key = begin(exchange, turn) else { return .close }
        exchange.context.time { times in
            let now = BootInstant.now
            times.handledAt = now
            if let outcomeAt = times.outcomeAt { times.waitedWithin += outcomeAt.duration(to: now).nanoseconds }
        }
        let response: Response
        do { response = try outcome.get() } catch { response = failure(error, exchange.context) }
        return send(response, of: exchange, turn, key)
    }

    /// Has the watchdog look after an answer; returns by what its connection is called. Nil where that was cut.
    private func begin(_ exchange: Exchange, _ turn: Turn) -> EventKey? {
        defer { engine.lifecycle.look(by: exchange.deadline) }
        return engine.table.withSlot(turn.slot) { slot in
            guard slot.state.run(on: index, until: exchange.deadline, ConnectionState.Unanswered(exchange)) else {
                return nil
            }
            return .connection(slot: turn.slot, generation: slot.state.generation)
        }
    }

    /// Goes on with an answer that was parked.
    func proceed(_ exchange: Exchange, _ turn: Turn) -> Turn.Disposition {
        let before = exchange.outbox.sentBytes
        let progress = exchange.outbox.send(
            on: turn.fd, errors: exchange.context.takeErrors, isServing: engine.isServing)
        let isMoving = exchange.outbox.sentBytes > before
        if isMoving { exchange.progressAt = .now }
        switch progress {
        case .blocked: return .wait(.room(exchange))
        case .starved where !isMoving && cplatform_is_hung_up(turn.fd):
            // What has called is the peer's end.
            exchange.cancel()
            engine.end(ConnectionState.Unanswered(exchange), exchange.status, wasSent: false)
            return .close
        case .starved: return .wait(.stream(exchange))
        case .done:
            engine.end(ConnectionState.Unanswered(exchange), exchange.status, wasSent: true)
            exchange.context.finish()
            return exchange.outbox.endsKept ? .keep : .close
        case .failed(let error):
            exchange.cancel()
            cut(exchange.context, error)
            engine.end(ConnectionState.Unanswered(exchange), exchange.status, wasSent: false)
            cplatform_shutdown(turn.fd)
            return .close
        }
    }

    // MARK: The handler

    /// Runs the handler; its failure becomes an answer, too.
    private func respond(_ exchange: Exchange) -> Server.Reply {
        do {
            if let answer = exchange.admittedAnswer { return .response(answer) }
            let request = try exchange.request.get()
            let failure: (any HTTPStatusError)? = request.failure ?? exchange.failure
            return try engine.dispatcher(request, failure)
        } catch {
            return .response(failure(error, exchange.context))
        }
    }

    /// The answer to an error: the client learns the status, the log the rest.
    private func failure(_ error: any Error, _ context: RequestContext) -> Response {
        let status = (error as? any HTTPStatusError)?.status ?? .internalServerError
        log(error, status: status.code, context)
        return .bare(status)
    }

    // MARK: The answer

    /// Sends an answer as far as the connection takes it.
    private func send(
        _ response: Response, of exchange: Exchange, _ turn: Turn, _ key: EventKey
    ) -> Turn.Disposition {
        let context = exchange.context
        let method = exchange.method
        var errors: [UInt8] = []
        do throws(ResponseError) {
            switch try put(response, into: exchange, method) {
            case .whole: context.finish()
            case .written(let length, let write):
                guard let whole = run(write, length, of: exchange, turn) else {
                    end(exchange, turn, wasSent: false)
                    cplatform_shutdown(turn.fd)
                    return .close
                }
                context.finish()
                // It failed before anything of it was sent.
                if !whole { _ = try put(.bare(.internalServerError), into: exchange, method) }
            case .task(let stream, let write):
                context.detach()
                exchange.start(on: crew, stream, write)
            }
        } catch {
            context.finish()
            log(error, status: 500, context)
            // It needs no file, and its fields are sound: this cannot fail.
            _ = try! put(.bare(.internalServerError), into: exchange, method)
        }
        let progress = exchange.outbox.send(
            on: turn.fd, errors: context.takeErrors, isServing: engine.isServing)
        switch progress {
        case .done:
            end(exchange, turn, wasSent: true)
            return exchange.outbox.endsKept ? .keep : .close
        case .blocked, .starved:
            // Cut in this very moment: the summary is made.
            guard takeSummary(turn.slot) else {
                exchange.cancel()
                return .close
            }
            exchange.progressAt = .now
            if case .starved = progress { return .wait(.stream(exchange)) }
            return .wait(.room(exchange))
        case .failed(let error):
            exchange.cancel()
            cut(context, error)
            end(exchange, turn, wasSent: false)
            return .close
        }

        func put(_ response: Response, into exchange: Exchange, _ method: HTTPRequest.Method) throws(ResponseError)
            -> Response.Rest
        {
            exchange.status = response.status.code
            // Those of an answer that could not be sent belong to the one in its place.
            errors += context.takeErrors()
            // A connection that is not at the next request's first byte can carry none.
            exchange.outbox.begin(
                requestID: exchange.check.requestID, isWanted: exchange.check.keepsConnection,
                mayBeKept: exchange.isInStep, errors: errors)
            return try response.put(
                into: &exchange.outbox, method: method, call: { [crew] in crew.raise(key) }, onLargeHead: warn(ofHead:))
        }
    }

    /// Runs a stream's closure on this worker; it waits where the web server does not read.
    ///
    /// - Returns: False when it failed before anything was sent; nil when what was sent has broken off.
    private func run(
        _ write: @Sendable (ResponseWriter) throws -> Void, _ length: Int?, of exchange: Exchange, _ turn: Turn
    ) -> Bool? {
        let context = exchange.context
        let timeout = Int32(clamping: engine.active.now.pointee.values.writeTimeout.milliseconds)
        let writer = ResponseWriter(length: length) { bytes throws(ResponseError) in
            try exchange.outbox.write(bytes, on: turn.fd, errors: context.takeErrors(), timeout: timeout)
        }
        do {
            defer { writer.close() }
            try write(writer)
            try writer.finish()
            return true
        } catch {
            guard exchange.outbox.sentBytes == 0 else {
                // The web server shall see a cut answer and no complete one.
                cut(context, error)
                return nil
            }
            log(error, status: 500, context)
            return false
        }
    }

    /// The answer has gone out, or never will.
    private func end(_ exchange: Exchange, _ turn: Turn, wasSent: Bool) {
        if takeSummary(turn.slot) {
            engine.end(ConnectionState.Unanswered(exchange), exchange.status, wasSent: wasSent)
        }
    }

    /// False where who cut the connection has made the request's summary.
    private func takeSummary(_ slot: Int) -> Bool {
        engine.table.withSlot(slot) { $0.state.takeUnanswered() != nil }
    }

    // MARK: Log

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

    private func log(_ error: any Error, status: Int, _ context: RequestContext) {
        engine.logger.log(
            level: status >= 500 ? .error : .info,
            "request failed: \(LogText.line("\(error)"))",
            metadata: metadata(of: context).merging(["status": "\(status)"]) { $1 }
        )
    }

    private func metadata(of context: RequestContext) -> Logger.Metadata {
        ["request_id": "\(context.string(of: "REQUEST_ID").map(LogText.clean) ?? "-")"]
    }
}
