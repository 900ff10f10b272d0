public import HTTPTypes

/// The header fields of a response, in order.
///
/// Values stay as they were given: one with control characters is refused when the response is written (500, and the log
/// names the field) instead of being repaired in silence.
public struct ResponseHeaders: Sendable, ExpressibleByDictionaryLiteral {
    /// One field.
    public struct Field: Sendable {
        /// The field's name, case-insensitive.
        public var name: HTTPField.Name
        /// The field's value.
        public var value: String
    }

    /// All fields, in the order they are sent.
    public private(set) var fields: [Field] = []

    /// No fields.
    public init() {}

    /// Fields from a literal; a name may stand twice.
    public init(dictionaryLiteral elements: (HTTPField.Name, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// The first value of a field; setting it replaces all of its values, nil removes them.
    public subscript(name: HTTPField.Name) -> String? {
        get { fields.first { $0.name == name }?.value }
        set {
            guard let first = fields.firstIndex(where: { $0.name == name }) else {
                if let newValue { append(name, newValue) }
                return
            }
            fields[first...].removeAll { $0.name == name }
            if let newValue { append(name, newValue) }
        }
    }

    /// Adds a value beside those that are there, as `Set-Cookie` needs it.
    public mutating func append(_ name: HTTPField.Name, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// Adds a value before all others.
    package mutating func prepend(_ name: HTTPField.Name, _ value: String) {
        fields.insert(Field(name: name, value: value), at: 0)
    }
}
