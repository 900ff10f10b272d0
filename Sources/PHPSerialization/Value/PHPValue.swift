public import GalletaPlatform

/// A value of PHP by itself.
///
///     let cart: PHPValue = ["sku": "A-1", "tags": ["new", "red"], "price": 19.99]
///     cart["price"]?.double    // 19.99
///
/// Values that occur more than once are numbered as PHP does it: the value itself is 1, then each value that is inside
/// takes the next number, in order; keys and ``reference(to:)`` take none.
///
/// At most 512 arrays and objects can be inside each other.
public enum PHPValue: Hashable, Sendable {
    /// PHP's `null`.
    case null
    /// A boolean.
    case bool(Bool)
    /// An integer of 64 bits.
    case int(Int)
    /// A number with a fraction, or one of INF and NAN.
    case double(Double)
    /// Any bytes. Sites of old encodings have text that is not UTF-8.
    case string(ByteString)
    /// Keys and values in their order: a list, a map, or both.
    case array(PHPArray)
    /// An object of a class, by its members.
    case object(PHPObject)
    /// A case of an enum.
    case enumCase(PHPEnumCase)
    /// An object whose class writes itself, in bytes of its own.
    case custom(PHPCustomObject)
    /// The same variable as the value with this number: PHP's `&`.
    case reference(to: Int)
    /// The same object as the value with this number.
    case sameObject(as: Int)

    /// The bytes of a string.
    public init(bytes: [UInt8]) { self = .string(ByteString(bytes: bytes)) }
    /// A string of the text's UTF-8.
    public init(_ text: String) { self = .string(ByteString(text)) }
    /// An integer.
    public init(_ number: Int) { self = .int(number) }
    /// A number with a fraction.
    public init(_ number: Double) { self = .double(number) }
    /// A boolean.
    public init(_ value: Bool) { self = .bool(value) }
    /// A list: an array with the keys 0, 1, 2, …
    public init(_ values: [PHPValue]) { self = .array(PHPArray(list: values)) }
    /// An array, ordered by its keys' bytes: a dictionary has no order of its own.
    public init(_ values: [String: PHPValue]) {
        let sorted = values.map { (ByteString($0.key), $0.value) }.sorted { $0.0 < $1.0 }
        self = .array(PHPArray(sorted.map { PHPArray.Element(key: PHPKey($0.0), value: $0.1) }))
    }
}

extension PHPValue {
    /// The value of a boolean; nil for anything else. Nothing is converted here or below: PHP's `"1"` is no boolean.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The value of an integer; nil for anything else.
    public var int: Int? { if case .int(let value) = self { value } else { nil } }
    /// The value of a number, with a fraction or without; nil for anything else.
    public var double: Double? {
        switch self {
        case .double(let value): value
        case .int(let value): Double(value)
        default: nil
        }
    }
    /// The bytes of a string; nil for anything else.
    public var bytes: [UInt8]? { if case .string(let value) = self { value.bytes } else { nil } }
    /// The text of a string; nil for anything else, and for a string that is not UTF-8.
    public var string: String? { if case .string(let value) = self { value.validString } else { nil } }
    /// An array; nil for anything else.
    public var array: PHPArray? { if case .array(let value) = self { value } else { nil } }
    /// The values of an array whose keys are 0, 1, 2, …; nil for anything else.
    public var list: [PHPValue]? { array?.list }
    /// An array without its order; nil for anything else. Numbers among the keys become text.
    public var dictionary: [ByteString: PHPValue]? {
        array.map { Dictionary($0.elements.map { ($0.key.text, $0.value) }) { $1 } }
    }
    /// An object; nil for anything else.
    public var object: PHPObject? { if case .object(let value) = self { value } else { nil } }

    /// The value of a key of an array, or of an object's member of that name; nil when there is none.
    public subscript(key: PHPKey) -> PHPValue? {
        switch self {
        case .array(let array): array[key]
        case .object(let object): object[key.text]
        default: nil
        }
    }
}

extension PHPValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// PHP's null.
    public init(nilLiteral: ()) { self = .null }
    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An integer.
    public init(integerLiteral number: Int) { self = .int(number) }
    /// A number with a fraction.
    public init(floatLiteral number: Double) { self = .double(number) }
    /// A string.
    public init(stringLiteral text: String) { self.init(text) }
    /// A list.
    public init(arrayLiteral values: PHPValue...) { self.init(values) }
    /// An array with these keys, in this order.
    public init(dictionaryLiteral elements: (PHPKey, PHPValue)...) {
        self = .array(PHPArray(elements.map { PHPArray.Element(key: $0.0, value: $0.1) }))
    }
}

extension PHPValue {
    /// Reads the text of PHP's `serialize()`.
    ///
    /// - Parameters:
    ///   - bytes: All of the text.
    ///   - limits: What it may cost at most.
    /// - Throws: When it is not the text of one value, exceeds a limit, or has more than 512 arrays and objects inside
    ///   each other.
    public init(serialized bytes: [UInt8], limits: PHPLimits = PHPLimits()) throws(PHPSerializationError) {
        self = try PHPDocument(bytes, format: .serialize, limits: limits).root()
    }

    /// The text that PHP's `serialize()` writes for it.
    ///
    /// - Throws: When PHP would not read it again: a key given twice, numbers of nothing, a class without a name.
    public func serialized() throws(PHPSerializationError) -> [UInt8] {
        var writer = ValueWriter(bytes: [])
        try writer.write(self)
        _ = try PHPDocument(writer.bytes, format: .serialize, limits: PHPLimits().unbounded)
        return writer.bytes
    }

    /// The document whose text this string is, as frameworks put one into a session: its references have numbers of
    /// their own. Write it back with ``PHPDocument/encoded()`` as a string.
    ///
    /// - Throws: When this is no string, or not the text of one value.
    public func nestedDocument(limits: PHPLimits = PHPLimits()) throws(PHPSerializationError) -> PHPDocument {
        guard let bytes else { throw .refused(.value, "a value that is no string holds no document") }
        return try PHPDocument(bytes, format: .serialize, limits: limits)
    }
}
