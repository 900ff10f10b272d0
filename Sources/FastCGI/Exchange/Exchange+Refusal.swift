internal import Glibc
internal import HTTPTypes

extension Exchange {
    /// Sends what can be said of a request that is refused, without waiting.
    ///
    /// - Parameter rest: What has come behind the bytes that were taken in.
    /// - Returns: The status that the client is told, if any, and whether something was sent.
    func refuse(
        _ refusal: RequestCheck.Refusal, _ rest: UnsafeRawBufferPointer, on fd: Int32
    ) -> (status: HTTPResponse.Status?, isSent: Bool) {
        guard let status = refusal.status(of: self, rest) else { return (nil, sendEnd(refusal.protocolStatus, on: fd)) }
        outbox.begin(requestID: check.requestID, isWanted: check.keepsConnection, mayBeKept: false, errors: [])
        // Its fields are sound, it needs no file: this cannot fail.
        _ = try! Response.bare(status).put(into: &outbox, method: .get) { _ in }
        if case .done = outbox.send(on: fd, errors: { [] }, isServing: { true }) { return (status, true) }
        return (status, false)
    }

    private func sendEnd(_ protocolStatus: UInt8?, on fd: Int32) -> Bool {
        guard let protocolStatus, check.requestID != 0 else { return false }
        var end = RecordBuffer()
        end.appendEnd(id: check.requestID, status: protocolStatus, isFarewell: check.keepsConnection)
        return end.sendAtOnce(on: fd)
    }
}

extension RequestCheck.Refusal {
    /// The status that the client is told, where the request is one of HTTP and only too large or malformed; nil where nothing
    /// can be answered, or it would reach nobody. The connection is closed in each case.
    fileprivate func status(of exchange: Exchange, _ rest: UnsafeRawBufferPointer) -> HTTPResponse.Status? {
        guard exchange.check.requestID != 0 else { return nil }
        return switch self {
        case .tooLarge: exchange.context.hasLongTarget(rest) ? .uriTooLong : .requestHeaderFieldsTooLarge
        case .tooMany: .requestHeaderFieldsTooLarge
        case .pairLength, .pairName, .pairValue, .recordType, .body, .padding: .badRequest
        case .unreadable: .internalServerError
        case .version, .begin, .role, .foreignID, .pipelined, .aborted, .management: nil
        }
    }

    /// What END_REQUEST says without an answer (FastCGI 1.0, section 5.5): the role is unknown, requests are not multiplexed.
    fileprivate var protocolStatus: UInt8? {
        switch self {
        case .role: 3
        case .foreignID, .pipelined: 1
        default: nil
        }
    }
}

extension RequestContext {
    /// Much of a head that is over its limit is the request's address, as far as it has come.
    fileprivate func hasLongTarget(_ rest: UnsafeRawBufferPointer) -> Bool {
        let together = Array(sentParameters) + Array(rest)
        return together.withUnsafeBytes(isLongTarget(in:))
    }

    private func isLongTarget(in bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while let nameLength = ParameterCheck.lengthIfThere(bytes, &offset),
            let valueLength = ParameterCheck.lengthIfThere(bytes, &offset), nameLength <= bytes.count - offset
        {
            let name = bytes[offset..<offset + nameLength]
            if valueLength > settings.maxHeadBytes / 4, name.elementsEqual("REQUEST_URI".utf8) { return true }
            guard valueLength <= bytes.count - offset - nameLength else { return false }
            offset += nameLength + valueLength
        }
        return false
    }
}
