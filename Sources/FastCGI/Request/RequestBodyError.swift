public import HTTPTypes

/// Why a request's body could not be read.
public struct RequestBodyError: Error, HTTPStatusError, CustomStringConvertible, Equatable {
    enum Code: Equatable {
        case tooLarge(limit: Int)
        case truncated(received: Int, declared: Int?)
        case timedOut(received: Int)
        case storage(String)
        case refused
        case requestFinished
    }

    let code: Code

    init(_ code: Code) {
        self.code = code
    }

    /// The body is larger than the server's limit (``Server/Configuration/maxBodyBytes``).
    public var isTooLarge: Bool {
        if case .tooLarge = code { true } else { false }
    }

    /// It was not to be sent, see ``Server/Verdict/discard``.
    package var isRefused: Bool { code == .refused }

    /// It stopped coming.
    var isTimeout: Bool {
        if case .timedOut = code { true } else { false }
    }

    /// 413 for a body over the limit, 408 for one that stopped coming, 400 for one cut short, 403 for one that was not to be
    /// sent, 500 for one that could not be stored and for a read after the request was answered.
    public var status: HTTPResponse.Status {
        switch code {
        case .tooLarge: .contentTooLarge
        case .timedOut: .requestTimeout
        case .truncated: .badRequest
        case .refused: .forbidden
        case .storage, .requestFinished: .internalServerError
        }
    }

    /// What happened, for the log.
    public var description: String {
        switch code {
        case .tooLarge(let limit):
            "the body is larger than the limit of \(limit) bytes (maxBodyBytes, and client_max_body_size in nginx)"
        case .truncated(let received, let declared?):
            "the body ended after \(received) bytes, CONTENT_LENGTH says \(declared)"
        case .truncated(let received, nil):
            "the connection ended inside the body, after \(received) bytes"
        case .timedOut(let received):
            "no more of the body arrived in time, after \(received) bytes"
        case .storage(let reason):
            "the body could not be kept until it had arrived: \(reason)"
        case .refused:
            "nothing was kept of the body, for the request was to be refused by its head"
        case .requestFinished:
            "the body was read after the request had been answered"
        }
    }
}
