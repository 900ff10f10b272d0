internal import struct GalletaPlatform.ByteString

extension SessionValue {
    /// The value that `value` encodes to.
    ///
    /// Whole numbers, text, booleans, doubles and bytes take a short way; every other `Encodable` type goes through its
    /// own `encode(to:)`. An optional that is nil becomes `.null`.
    ///
    /// - Throws: `SessionError` of code `notEncodable` for an integer beyond `Int64` or nesting beyond
    ///   `maximumDepth`; or what the type itself throws.
    public init(encoding value: some Encodable) throws {
        self = try ValueEncoder.encode(value, path: [], depth: 0, datesAreText: false)
    }

    /// As ``init(encoding:)``, for JSON: Foundation's dates are texts (ISO 8601).
    package init(encodingForJSON value: some Encodable) throws {
        self = try ValueEncoder.encode(value, path: [], depth: 0, datesAreText: true)
    }

    /// The value as `type`.
    ///
    /// A whole `double` decodes as an integer and an `int` as a double, since stores that keep JSON mix them.
    ///
    /// - Throws: `DecodingError` when the value has not the form of `type`, for example after a deploy that changed it.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws -> T {
        try ValueDecoder.decode(type, from: self, path: [], source: .exact)
    }

    /// As ``decode(_:)``, of what somebody else has made.
    func decode<T: Decodable>(_ type: T.Type = T.self, from source: ValueDecoder.Source) throws -> T {
        try ValueDecoder.decode(type, from: self, path: [], source: source)
    }

    /// As ``decode(_:)``, of what a form has sent: texts stand for numbers and booleans, one value for an array of one, an empty
    /// text for an optional's nil, and what is missing for false and for an empty array.
    package func decodeForm<T: Decodable>(_ type: T.Type = T.self) throws -> T {
        try ValueDecoder.decode(type, from: self, path: [], source: .form)
    }
}

extension SessionValue: Codable {
    /// Any decoder: the first kind that fits, of null, bool, whole number, double, text, array, object.
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? ValueDecoder {
            self = decoder.value
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([SessionValue].self) {
            self = .array(value)
        } else {
            // Not as a dictionary: that takes canonically equivalent keys for one.
            let members = try decoder.container(keyedBy: ValueKey.self)
            let keys = members.allKeys.sorted { ByteString($0.stringValue) < ByteString($1.stringValue) }
            self = .object(
                SessionObject(
                    try keys.map { (ByteString($0.stringValue), try members.decode(SessionValue.self, forKey: $0)) }))
        }
    }

    /// Any encoder; bytes become an array of numbers where the encoder is not ours.
    ///
    /// - Throws: `EncodingError` for an object's key that is not UTF-8, and for an opaque value, where the encoder is not ours.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .bytes(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .opaque(let value):
            throw EncodingError.invalidValue(
                self,
                .init(
                    codingPath: encoder.codingPath,
                    debugDescription: "an opaque value of type \(value.typeName) has no other form"))
        case .object(let members):
            var container = encoder.container(keyedBy: ValueKey.self)
            for (key, value) in members {
                guard let key = key.validString else {
                    throw EncodingError.invalidValue(
                        self, .init(codingPath: encoder.codingPath, debugDescription: "a key is not UTF-8"))
                }
                try container.encode(value, forKey: ValueKey(key))
            }
        }
    }
}

/// A coding key of any text or position.
struct ValueKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ text: String) {
        stringValue = text
        intValue = nil
    }

    init?(stringValue: String) {
        self.init(stringValue)
    }

    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }
}
