/// Decodes a type from a `SessionValue`.
struct ValueDecoder: Decoder {
    /// Who has made the value, and so what its kinds mean.
    enum Source {
        /// We, or a client that sent JSON: each kind is itself.
        case exact
        /// A form: texts stand for other kinds.
        case form
        /// PHP: bytes are texts where they can be, and empty objects are empty arrays.
        case php
    }

    let value: SessionValue
    let codingPath: [any CodingKey]
    let source: Source
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func decode<T: Decodable>(
        _ type: T.Type, from value: SessionValue, path: [any CodingKey], source: Source
    ) throws -> T {
        // The commonest, without an optional of T: its type would be looked up at each call.
        if T.self == Int.self, case .int(let number) = value { return Int(number) as! T }
        if T.self == String.self, case .string(let text) = value { return text as! T }
        if source == .form, let text = FormText.first(of: value),
            let simple = try FormText.decode(type, from: text, path: path)
        {
            return simple
        }
        if let simple = try simple(type, from: value, path: path, source) { return simple }
        var value = value
        if case .string(let text) = value, FoundationDate.isOne(T.self) {
            value = try FoundationDate.number(of: text, path)
        }
        return try T(from: ValueDecoder(value: value, codingPath: path, source: source))
    }

    /// The kinds that need no containers; nil for others.
    @inline(__always)
    private static func simple<T: Decodable>(
        _ type: T.Type, from value: SessionValue, path: [any CodingKey], _ source: Source
    ) throws -> T? {
        if T.self == Int.self {
            if case .int(let number) = value { return (Int(number) as! T) }
        } else if T.self == String.self {
            if case .string(let text) = value { return (text as! T) }
        } else if T.self == Bool.self {
            if case .bool(let flag) = value { return (flag as! T) }
        } else if T.self == Double.self {
            if case .double(let number) = value { return (number as! T) }
        } else if T.self == SessionValue.self {
            return (value as! T)
        } else if T.self == [UInt8].self {
            if case .bytes(let bytes) = value { return (bytes as! T) }
            if source == .php, case .string(let text) = value { return (Array(text.utf8) as! T) }
        }
        guard let type = type as? any FixedWidthInteger.Type else {
            return try floating(type, from: value, path: path)
        }
        return (try integer(type, from: value, path: path) as! T)
    }

    private static func integer<I: FixedWidthInteger>(
        _ type: I.Type, from value: SessionValue, path: [any CodingKey]
    ) throws -> I {
        switch value {
        case .int(let number):
            if let exact = I(exactly: number) { return exact }
        case .double(let number):
            if let exact = I(exactly: number) { return exact }
        default:
            throw mismatch(type, value, path)
        }
        throw DecodingError.dataCorrupted(.init(codingPath: path, debugDescription: "the number does not fit \(type)"))
    }

    private static func floating<T: Decodable>(
        _ type: T.Type, from value: SessionValue, path: [any CodingKey]
    ) throws -> T? {
        guard type == Double.self || type == Float.self else { return nil }
        let number: Double
        switch value {
        case .double(let double): number = double
        case .int(let int): number = Double(int)
        default: throw mismatch(type, value, path)
        }
        return type == Double.self ? (number as! T) : (Float(number) as! T)
    }

    /// The error for a value of another kind; names kinds, never the value.
    static func mismatch(_ type: Any.Type, _ value: SessionValue, _ path: [any CodingKey]) -> DecodingError {
        .typeMismatch(type, .init(codingPath: path, debugDescription: "found \(value.kind)"))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let members: SessionObject
        switch value {
        case .object(let object): members = object
        case .array(let elements) where source == .php && elements.isEmpty: members = [:]
        default: throw Self.mismatch([String: SessionValue].self, value, codingPath)
        }
        return KeyedDecodingContainer(
            KeyedValueDecoder<Key>(members: members, codingPath: codingPath, source: source))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        switch value {
        case .array(let elements):
            return UnkeyedValueDecoder(elements: elements, codingPath: codingPath, source: source)
        case .bytes(let bytes):
            return UnkeyedValueDecoder(
                elements: bytes.map { .int(Int64($0)) }, codingPath: codingPath, source: source)
        case .string where source == .form:
            return UnkeyedValueDecoder(elements: [value], codingPath: codingPath, source: source)
        default: throw Self.mismatch([SessionValue].self, value, codingPath)
        }
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        self
    }
}

extension ValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool {
        value == .null
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        // These have no other way to decode than to ask for themselves here again.
        if type == Bool.self || type == String.self {
            if source == .form, let text = FormText.first(of: value),
                let simple = try FormText.decode(type, from: text, path: codingPath)
            {
                return simple
            }
            guard let simple = try Self.simple(type, from: value, path: codingPath, source) else {
                throw Self.mismatch(type, value, codingPath)
            }
            return simple
        }
        return try Self.decode(type, from: value, path: codingPath, source: source)
    }
}

extension SessionValue {
    /// The kind's name, for messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int: "a whole number"
        case .double: "a number"
        case .string: "text"
        case .bytes: "bytes"
        case .array: "an array"
        case .object: "an object"
        case .opaque(let value): "an opaque value of type \(value.typeName)"
        }
    }
}
