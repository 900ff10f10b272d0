public import struct GalletaPlatform.ByteString

/// The text fields of a form or a query, in the order in which they were sent.
///
///     let fields = request.queryFields           // ?tag=a&tag=b&q=
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
