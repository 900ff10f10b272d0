public import GalletaPlatform

/// The text fields of a form or a query, in the order in which they were sent.
///
///     let fields = request.query                 // ?tag=a&tag=b&q=
///     fields["tag"]                              // "a", the first one
///     fields.all("tag")                          // ["a", "b"]
///
/// Names repeat, values may be empty and may hold any character, NUL included: they are the client's. Names are bytes,
/// as they were sent, and compared as such. A look-up walks the fields; their number is bounded by
/// ``FormLimits``.
public struct FormFields: Sendable {
    private var fields: [(name: ByteString, value: String)] = []

    /// No fields.
    public init() {}

    /// Fields in the given order.
    public init(_ fields: some Sequence<(name: ByteString, value: String)>) {
        self.fields = Array(fields)
    }

    /// The value of the first field of this name; nil when there is none.
    public subscript(name: ByteString) -> String? {
        fields.first { $0.name == name }?.value
    }

    /// The values of all fields of this name, in order.
    public func all(_ name: ByteString) -> [String] {
        fields.lazy.filter { $0.name == name }.map(\.value)
    }

    /// Adds a field behind the others; one of the same name stays.
    public mutating func append(_ name: ByteString, _ value: String) {
        fields.append((name, value))
    }

    /// How many fields there are, repeated names counted each time.
    public var count: Int { fields.count }

    /// No field was sent.
    public var isEmpty: Bool { fields.isEmpty }
}

extension FormFields: Sequence {
    /// Walks the fields in order.
    public func makeIterator() -> IndexingIterator<[(name: ByteString, value: String)]> { fields.makeIterator() }
}

extension FormFields: ExpressibleByDictionaryLiteral {
    /// These fields in this order; a name may stand twice.
    public init(dictionaryLiteral fields: (ByteString, String)...) {
        self.init(fields.map { (name: $0.0, value: $0.1) })
    }
}

extension FormFields: Equatable {
    /// The same names and values in the same order, byte for byte.
    public static func == (left: FormFields, right: FormFields) -> Bool {
        left.fields.elementsEqual(right.fields) {
            $0.name == $1.name && $0.value.utf8.elementsEqual($1.value.utf8)
        }
    }
}

extension FormFields: CustomStringConvertible, CustomReflectable {
    /// The number of fields alone: values may be passwords, and what is interpolated ends in logs.
    public var description: String { "FormFields(\(count))" }

    /// Empty, for the same reason.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension FormFields {
    /// Parses `application/x-www-form-urlencoded` (WHATWG URL, section 5.1).
    ///
    /// Nothing is malformed there: see ``PercentCoding/decodeField(_:)``.
    ///
    /// - Throws: ``FormError`` when there are more fields than ``FormLimits/maxFields``, or more bytes, as they were
    ///   sent, than ``FormLimits/maxFieldBytes``.
    init(urlEncoded bytes: [UInt8], charset: FormCharset = .utf8, limits: FormLimits) throws(FormError) {
        self.init()
        try append(urlEncoded: bytes, charset: charset, limits: limits)
    }

    /// As ``init(urlEncoded:charset:limits:)``; when it throws, the fields below the limit have been added.
    mutating func append(
        urlEncoded bytes: [UInt8], charset: FormCharset = .utf8, limits: FormLimits
    ) throws(FormError) {
        guard bytes.count <= limits.maxFieldBytes else { throw FormError(.fieldsTooLarge(limit: limits.maxFieldBytes)) }
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "&")) ?? bytes.count
            if end > start {
                guard count < limits.maxFields else { throw FormError(.tooManyFields(limit: limits.maxFields)) }
                let field = bytes[start..<end]
                let equals = field.firstIndex(of: UInt8(ascii: "=")) ?? end
                append(
                    charset.name(PercentCoding.decodeField(field[..<equals])),
                    charset.text(PercentCoding.decodeField(field[equals...].dropFirst()))
                )
            }
            start = end + 1
        }
    }

    /// The fields as a query or a body of `application/x-www-form-urlencoded`, ASCII only.
    public var urlEncoded: String {
        var encoded: [UInt8] = []
        for (name, value) in self {
            if !encoded.isEmpty { encoded.append(UInt8(ascii: "&")) }
            name.withUnsafeBytes { PercentCoding.encodeField($0, into: &encoded) }
            encoded.append(UInt8(ascii: "="))
            PercentCoding.encodeField(value.utf8, into: &encoded)
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
