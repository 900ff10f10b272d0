/// An array of PHP: keys and values in the order in which they were put in.
///
///     var cart: PHPArray = ["sku": "A-1", "price": 19.99]
///     cart["qty"] = 2
///     cart.append("first without a key")
///
/// Cost: finding a key takes time linear in the number of elements, as does removing one.
public struct PHPArray: Hashable, Sendable {
    /// A key with its value.
    public struct Element: Hashable, Sendable {
        /// The key.
        public let key: PHPKey
        /// The value.
        public var value: PHPValue

        /// - Parameters:
        ///   - key: The key.
        ///   - value: The value.
        public init(key: PHPKey, value: PHPValue) {
            self.key = key
            self.value = value
        }
    }

    /// All keys with their values, in order. A key that is here twice is refused when the array is written.
    public var elements: [Element]

    /// - Parameter elements: Keys with values, in order.
    public init(_ elements: [Element] = []) {
        self.elements = elements
    }

    /// A list: the values with the keys 0, 1, 2, …
    public init(list values: some Sequence<PHPValue>) {
        elements = values.enumerated().map { Element(key: .int($0.offset), value: $0.element) }
    }

    /// The value of a key; nil when there is none. Setting nil removes the key; a new key comes last.
    public subscript(key: PHPKey) -> PHPValue? {
        get { elements.first { $0.key == key }?.value }
        set {
            let index = elements.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): elements[index].value = value
            case (let index?, nil): elements.remove(at: index)
            case (nil, let value?): elements.append(Element(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Puts a value last, with the next free number as its key: one more than the greatest, 0 when there is none.
    public mutating func append(_ value: PHPValue) {
        var next = 0
        for case .int(let number) in elements.lazy.map(\.key) where number >= next && number < .max {
            next = number + 1
        }
        elements.append(Element(key: .int(next), value: value))
    }

    /// The values, if the keys are 0, 1, 2, … in this order; else nil.
    public var list: [PHPValue]? {
        for (index, element) in elements.enumerated() where element.key != .int(index) { return nil }
        return elements.map(\.value)
    }
}

extension PHPArray: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
    /// Keys with values, in order.
    public init(dictionaryLiteral elements: (PHPKey, PHPValue)...) {
        self.init(elements.map { Element(key: $0.0, value: $0.1) })
    }

    /// A list.
    public init(arrayLiteral values: PHPValue...) {
        self.init(list: values)
    }
}
