public import HTTPTypes

/// Why a form could not be parsed, or a file of it not be stored.
public struct FormError: Error, HTTPStatusError, CustomStringConvertible, Equatable {
    enum Code: Equatable {
        case malformed(String)
        case truncated
        case unsupportedType(String?)
        case unsupportedCharset(String)
        case tooManyFields(limit: Int)
        case fieldsTooLarge(limit: Int)
        case tooManyFiles(limit: Int)
        case partHeadTooLarge(limit: Int)
        case storage(String)
        case destinationExists(String)
        case alreadyMoved
    }

    let code: Code

    init(_ code: Code) {
        self.code = code
    }

    /// 400 for a malformed or truncated form, 413 for one over the limits, 415 for a body that is no form or has a
    /// charset that is not known, 500 when a file could not be stored.
    public var status: HTTPResponse.Status {
        switch code {
        case .malformed, .truncated: .badRequest
        case .unsupportedType, .unsupportedCharset: .unsupportedMediaType
        case .tooManyFields, .fieldsTooLarge, .tooManyFiles, .partHeadTooLarge: .contentTooLarge
        case .storage, .destinationExists, .alreadyMoved: .internalServerError
        }
    }

    /// A file could not be made, written or read.
    var isStorage: Bool {
        if case .storage = code { true } else { false }
    }

    /// The code of ``status``: 400, 413, 415 or 500.
    public var statusCode: Int { status.code }

    /// ``UploadedFile/move(to:permissions:)`` found something at its destination.
    public var isDestinationExisting: Bool {
        if case .destinationExists = code { true } else { false }
    }

    /// What happened, for the log; it holds no field's value.
    public var description: String {
        switch code {
        case .malformed(let reason): "the form is malformed: \(reason)"
        case .truncated: "the form ends before its last boundary"
        case .unsupportedType(nil): "the request has no Content-Type, so its body is no form"
        case .unsupportedType(let type?): "\(type) is no form"
        case .unsupportedCharset(let name): "the form's charset is \(name); send it as UTF-8"
        case .tooManyFields(let limit): "the form has more than \(limit) fields (FormLimits.maxFields)"
        case .fieldsTooLarge(let limit): "the form's fields have more than \(limit) bytes (FormLimits.maxFieldBytes)"
        case .tooManyFiles(let limit): "the form has more than \(limit) files (FormLimits.maxFiles)"
        case .partHeadTooLarge(let limit): "the headers of one part of the form are over the limit of \(limit)"
        case .storage(let reason): reason
        case .destinationExists(let path): "cannot store an uploaded file: \(path) exists already"
        case .alreadyMoved: "the uploaded file was moved before"
        }
    }
}
