public import HTTPTypes

/// Why a body is no form that can be used.
public struct FormError: Error, HTTPStatusError, CustomStringConvertible, Equatable {
    enum Code: Equatable {
        case unsupportedType(String)
        case malformed(String)
        case tooLarge(String)
        case storage(String)
    }

    let code: Code

    init(_ code: Code) {
        self.code = code
    }

    /// 415 for another media type, 400 for a malformed body, 413 for one over a limit, 500 when a file cannot be kept.
    public var status: HTTPResponse.Status {
        switch code {
        case .unsupportedType: .unsupportedMediaType
        case .malformed: .badRequest
        case .tooLarge: .contentTooLarge
        case .storage: .internalServerError
        }
    }

    /// What is wrong, for the log.
    public var description: String {
        switch code {
        case .unsupportedType(let type): "the body is no form: its type is \(type)"
        case .malformed(let reason): "the form is malformed: \(reason)"
        case .tooLarge(let reason): "the form is too large: \(reason)"
        case .storage(let reason): "an uploaded file cannot be kept: \(reason)"
        }
    }
}
