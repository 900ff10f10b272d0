internal import struct GalletaPlatform.ByteString

/// Encodes members of an object.
struct KeyedValueEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: ValueEncoder.Node
    let codingPath: [any CodingKey]
    let depth: Int
    let datesAreText: Bool

    mutating func encodeNil(forKey key: Key) throws {
        place(.null, for: key)
    }

    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        // A path is an allocation; simple values need none.
        if let simple = try ValueEncoder.simple(value) { return place(simple, for: key) }
        place(
            try ValueEncoder.encode(value, path: codingPath + [key], depth: depth + 1, datesAreText: datesAreText),
            for: key)
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        child(for: key).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        child(for: key).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        child(for: ValueKey("super"))
    }

    mutating func superEncoder(forKey key: Key) -> any Encoder {
        child(for: key)
    }

    private func place(_ value: SessionValue, for key: Key) {
        let member = ValueEncoder.Node()
        member.content = .value(value)
        node.set(member, for: ByteString(key.stringValue))
    }

    private func child(for key: any CodingKey) -> ValueEncoder {
        let member = ValueEncoder.Node()
        node.set(member, for: ByteString(key.stringValue))
        return ValueEncoder(
            node: member, codingPath: codingPath + [key], depth: depth + 1, datesAreText: datesAreText)
    }
}

/// Encodes elements of an array.
struct UnkeyedValueEncoder: UnkeyedEncodingContainer {
    let node: ValueEncoder.Node
    let codingPath: [any CodingKey]
    let depth: Int
    let datesAreText: Bool

    var count: Int {
        guard case .array(let nodes) = node.content else { return 0 }
        return nodes.count
    }

    mutating func encodeNil() throws {
        place(.null)
    }

    mutating func encode<T: Encodable>(_ value: T) throws {
        if let simple = try ValueEncoder.simple(value) { return place(simple) }
        let path = codingPath + [ValueKey(intValue: count)]
        place(try ValueEncoder.encode(value, path: path, depth: depth + 1, datesAreText: datesAreText))
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        child().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        child().unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        child()
    }

    private func place(_ value: SessionValue) {
        let element = ValueEncoder.Node()
        element.content = .value(value)
        node.append(element)
    }

    private func child() -> ValueEncoder {
        let path = codingPath + [ValueKey(intValue: count)]
        let element = ValueEncoder.Node()
        node.append(element)
        return ValueEncoder(node: element, codingPath: path, depth: depth + 1, datesAreText: datesAreText)
    }
}
