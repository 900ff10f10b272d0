internal import HTTPTypes

extension RequestCheck.Refusal {
    /// The status that the client is told, where the request is one of HTTP and only too large or malformed; nil where nothing
    /// can be answered, or it would reach nobody. The connection is closed in each case.
    ///
    /// - Parameter rest: What has come behind the bytes that were taken in.
    func status(of exchange: Exchange, _ rest: UnsafeRawBufferPointer) -> HTTPResponse.Status? {
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
    var protocolStatus: UInt8? {
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
