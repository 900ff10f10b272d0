internal import struct GalletaPlatform.ByteString

/// Decodes members of an object.
struct KeyedValueDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let members: SessionObject
    let codingPath: [any CodingKey]
    let source: ValueDecoder.Source

    var allKeys: [Key] { members.keys.compactMap { $0.validString.flatMap { Key(stringValue: $0) } } }

    func contains(_ key: Key) -> Bool {
        members[ByteString(key.stringValue)] != nil
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        let value = try member(key)
        // A field that was left empty.
        return value == .null || (source == .form && value == .string(""))
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        if source == .form, !contains(key), let none = FormText.missing(type) { return none }
        return try ValueDecoder.decode(type, from: member(key), path: codingPath + [key], source: source)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try decoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        ValueDecoder(
            value: members["super"] ?? .null, codingPath: codingPath + [ValueKey("super")], source: source)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try decoder(key)
    }

    private func member(_ key: Key) throws -> SessionValue {
        guard let value = members[ByteString(key.stringValue)] else {
            throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "no such key"))
        }
        return value
    }

    private func decoder(_ key: Key) throws -> ValueDecoder {
        ValueDecoder(value: try member(key), codingPath: codingPath + [key], source: source)
    }
}

/// Decodes elements of an array.
struct UnkeyedValueDecoder: UnkeyedDecodingContainer {
    let elements: [SessionValue]
    let codingPath: [any CodingKey]
    let source: ValueDecoder.Source
    private(set) var currentIndex = 0

    init(elements: [SessionValue], codingPath: [any CodingKey], source: ValueDecoder.Source) {
        self.elements = elements
        self.codingPath = codingPath
        self.source = source
    }

    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    mutating func decodeNil() throws -> Bool {
        guard try current().value == .null else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let element = try current()
        let value = try ValueDecoder.decode(
            type, from: element.value, path: element.codingPath, source: source)
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let container = try current().container(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try current().unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try current()
        currentIndex += 1
        return decoder
    }

    private func current() throws -> ValueDecoder {
        let path = codingPath + [ValueKey(intValue: currentIndex)]
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                SessionValue.self, .init(codingPath: path, debugDescription: "the array has no more elements"))
        }
        return ValueDecoder(value: elements[currentIndex], codingPath: path, source: source)
    }
}
