/// A response that cannot be sent as the handler made it.
public struct ResponseError: Error, CustomStringConvertible {
    enum Code {
        case controlCharacter(field: String)
        case reservedField(String)
        case badStatus(Int)
        case redirect(String)
        case file(path: String, reason: String, isMissing: Bool)
        case lengthMismatch(declared: Int, written: Int)
        case stream(String)
        case eventField(String)
        case closed
        case finished
    }

    let code: Code

    init(_ code: Code) {
        self.code = code
    }

    /// The web server has gone, or did not read for the length of the write timeout: nothing more can be sent.
    public var isClosed: Bool {
        if case .closed = code { true } else { false }
    }

    /// There is no such file: what a client that has asked for it is to be told.
    public var isMissingFile: Bool {
        if case .file(_, _, isMissing: true) = code { true } else { false }
    }

    /// What is wrong, for the log.
    public var description: String {
        switch code {
        case .controlCharacter(let field): "the response field \(field) holds a control character"
        case .reservedField(let field): "the response field \(field) is the server's to set"
        case .badStatus(let status): "the status \(status) is not from 200 to 599"
        case .redirect(let reason): "the target of a redirect is refused: \(reason)"
        case .file(let path, let reason, _): "the response file \(path) cannot be sent: \(reason)"
        case .lengthMismatch(let declared, let written):
            "the response stream wrote \(written) bytes, its declared length is \(declared)"
        case .stream(let reason): "the stream's closure failed: \(reason)"
        case .eventField(let name): "the \(name) of an event is more than one line"
        case .closed: "the web server closed the connection or stopped reading"
        case .finished: "the response was already complete"
        }
    }
}
