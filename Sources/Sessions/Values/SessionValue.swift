public import struct GalletaPlatform.ByteString

/// A value that a session can hold: JSON's kinds, with whole numbers and bytes apart, and objects of other languages.
///
/// Every `Codable` type goes through it (`init(encoding:)`, `decode(_:)`), so a store holds what other languages
/// can read, and PHP's values have a place.
///
///     let cart: SessionValue = ["items": [1, 2, 3], "note": "gift", "total": 12.5]
///     let profile = try SessionValue(encoding: Profile(name: "Ada"))
///     let back = try profile.decode(Profile.self)
///
/// Whole numbers are `Int64`; a larger one is refused when encoded rather than rounded.
public enum SessionValue: Hashable, Sendable {
    /// Nothing, as a value: a key that holds `null` exists.
    case null
    /// True or false.
    case bool(Bool)
    /// A whole number.
    case int(Int64)
    /// A floating-point number; NaN and the infinities cannot be written as JSON.
    case double(Double)
    /// Text.
    case string(String)
    /// Raw bytes.
    case bytes([UInt8])
    /// Values in order.
    case array([SessionValue])
    /// Values by key, in order of insertion.
    case object(SessionObject)
    /// What only another language understands; see ``SessionOpaqueValue``.
    indirect case opaque(SessionOpaqueValue)

    /// How deep arrays and objects may nest, in every encoding.
    public static let maximumDepth = 64
}

extension SessionValue {
    /// A name as a value: `.string`, or `.bytes` for what is not UTF-8.
    public static func name(_ name: ByteString) -> SessionValue {
        if let text = name.validString { .string(text) } else { .bytes(name.bytes) }
    }

    /// The name that the value holds; nil when it holds neither text nor bytes.
    public var name: ByteString? {
        switch self {
        case .string(let text): ByteString(text)
        case .bytes(let bytes): ByteString(bytes: bytes)
        default: nil
        }
    }
}

/// An object that another language keeps in a session, PHP's of a class of its own, say: a name and bytes.
///
/// It is kept and written back exactly as it came; no `Codable` type decodes from it, and `Session.update(_:default:_:)` refuses
/// to overwrite it unless it is told to. Only who knows the other language makes sense of the bytes.
public struct SessionOpaqueValue: Hashable, Sendable {
    /// The object's type, by the other language's name for it.
    public var typeName: ByteString
    /// The object as the other language wrote it.
    public var bytes: [UInt8]

    /// An object of this type, as these bytes.
    public init(typeName: ByteString, bytes: [UInt8]) {
        self.typeName = typeName
        self.bytes = bytes
    }
}

extension SessionValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// `.bool`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// `.int`.
    public init(integerLiteral value: Int64) { self = .int(value) }
    /// `.double`.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// `.string`.
    public init(stringLiteral value: String) { self = .string(value) }
    /// `.array`.
    public init(arrayLiteral elements: SessionValue...) { self = .array(elements) }
    /// `.object`, in the order written; of equal keys the last counts.
    public init(dictionaryLiteral elements: (ByteString, SessionValue)...) { self = .object(SessionObject(elements)) }
}

// MARK: JSON

extension SessionValue {
    /// The value as JSON text (RFC 8259) in UTF-8, without blanks, object members in their order.
    ///
    /// Bytes, which JSON lacks, become `{"$bytes":"<base64url>"}`; an object whose one key is `$bytes` by chance
    /// gets a further `$` in front, which reading takes away. `<` is escaped, for use in HTML.
    ///
    /// - Throws: `SessionError` of code `notEncodable` for NaN, the infinities, nesting beyond `maximumDepth`, an
    ///   object's key that is not UTF-8 and opaque values: JSON has no form for these.
    public func jsonBytes() throws -> [UInt8] {
        var writer = JSONWriter()
        try writer.write(self)
        return writer.out
    }

    /// The value of JSON text: strict RFC 8259, valid UTF-8, one value, nothing after it but blanks.
    ///
    /// Numbers without fraction and exponent that fit are `.int`, others `.double`. Of equal keys the last counts;
    /// equal are those of the same bytes once escapes are undone.
    ///
    /// - Parameters:
    ///   - json: The text; not kept.
    ///   - maximumDepth: How deep arrays and objects may nest.
    /// - Throws: `SessionError` of code `invalidEncoding` that says at which byte and why.
    public init(json: UnsafeRawBufferPointer, maximumDepth: Int = SessionValue.maximumDepth) throws {
        var parser = JSONParser(json, maximumDepth: maximumDepth)
        self = try parser.document()
    }

    /// The value of JSON text, as `init(json:maximumDepth:)` of a buffer.
    ///
    /// - Throws: `SessionError` of code `invalidEncoding` that says at which byte and why.
    public init(json: [UInt8], maximumDepth: Int = SessionValue.maximumDepth) throws {
        self = try json.withUnsafeBytes { try SessionValue(json: $0, maximumDepth: maximumDepth) }
    }
}
