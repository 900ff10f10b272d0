/// The fields of a form or a query, in the order sent; a name may stand several times.
public struct FormFields: Sendable, Sequence {
    /// A name and its value.
    public typealias Element = (name: String, value: String)

    private var fields: [Element] = []

    /// No fields.
    public init() {}

    /// How many fields there are.
    public var count: Int { fields.count }

    /// The first value of a name.
    public subscript(name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    /// All values of a name, in order.
    public func all(_ name: String) -> [String] {
        fields.filter { $0.name == name }.map(\.value)
    }

    /// The fields in order.
    public func makeIterator() -> Array<Element>.Iterator {
        fields.makeIterator()
    }

    mutating func append(_ name: String, _ value: String, limits: FormLimits) throws(FormError) {
        guard fields.count < limits.maxFields else {
            throw FormError(.tooLarge("it has more than \(limits.maxFields) fields"))
        }
        fields.append((name, value))
    }
}
