/// Why bytes were not taken for what PHP wrote, or a change was not made.
public struct PHPSerializationError: Error, Hashable, Sendable {
    /// What kind of refusal it is.
    public struct Code: Hashable, Sendable {
        private enum Kind: Hashable { case syntax, limit, format, change, value }
        private let kind: Kind

        /// The bytes are not what PHP writes.
        public static let syntax = Code(kind: .syntax)
        /// A limit of ``PHPLimits`` is exceeded.
        public static let limit = Code(kind: .limit)
        /// The bytes are in another format, or in one that is not written.
        public static let format = Code(kind: .format)
        /// The change cannot be made without harm.
        public static let change = Code(kind: .change)
        /// The value cannot be given as a ``PHPValue``, or is none that PHP could hold.
        public static let value = Code(kind: .value)
    }

    /// The kind of refusal.
    public let code: Code
    /// The position of the byte that was refused, from the beginning of the document; nil when it is not about bytes.
    public let offset: Int?
    /// What was expected there, or what is wrong and what to do about it. Holds nothing of the bytes.
    public let reason: String

    static func expected(_ what: StaticString, at offset: Int) -> PHPSerializationError {
        PHPSerializationError(code: .syntax, offset: offset, reason: "expected \(what)")
    }

    static func limit(_ field: StaticString, _ most: Int, at offset: Int? = nil) -> PHPSerializationError {
        PHPSerializationError(
            code: .limit, offset: offset, reason: "more than limits.\(field), \(most): raise it or refuse the document")
    }

    static func refused(_ code: Code, _ reason: String) -> PHPSerializationError {
        PHPSerializationError(code: code, offset: nil, reason: reason)
    }

    /// The same about bytes that stand further on, or back, in what the caller gave.
    func moved(by distance: Int) -> PHPSerializationError {
        PHPSerializationError(code: code, offset: offset.map { max(0, $0 + distance) }, reason: reason)
    }
}

extension PHPSerializationError: CustomStringConvertible {
    /// `byte 12: expected …`
    public var description: String {
        if let offset { "byte \(offset): \(reason)" } else { reason }
    }
}
