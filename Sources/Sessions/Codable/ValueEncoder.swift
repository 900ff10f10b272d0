internal import struct GalletaPlatform.ByteString

/// Encodes a type into a tree of nodes, which `value` turns into a `SessionValue`.
struct ValueEncoder: Encoder {
    /// A place in the tree. A class, because containers outlive the call that made them.
    final class Node {
        enum Content {
            case none
            case value(SessionValue)
            case array([Node])
            case object(keys: [ByteString], nodes: [ByteString: Node])
        }

        var content = Content.none

        /// The tree as a value; a type that encodes nothing is an empty object.
        func value() -> SessionValue {
            switch content {
            case .none: .object([:])
            case .value(let value): value
            case .array(let nodes): .array(nodes.map { $0.value() })
            case .object(let keys, let nodes): .object(SessionObject(keys.map { ($0, nodes[$0]!.value()) }))
            }
        }

        func append(_ node: Node) {
            guard case .array(var nodes) = content else { return }
            // Let go first, or each append copies.
            content = .none
            nodes.append(node)
            content = .array(nodes)
        }

        func set(_ node: Node, for key: ByteString) {
            guard case .object(var keys, var nodes) = content else { return }
            content = .none
            if nodes.updateValue(node, forKey: key) == nil { keys.append(key) }
            content = .object(keys: keys, nodes: nodes)
        }

        func becomeArray() {
            if case .array = content { return }
            content = .array([])
        }

        func becomeObject() {
            if case .object = content { return }
            content = .object(keys: [], nodes: [:])
        }
    }

    let node: Node
    let codingPath: [any CodingKey]
    let depth: Int
    /// Foundation's `Date` becomes text, as JSON has it, and no number.
    let datesAreText: Bool
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func encode<T: Encodable>(
        _ value: T, path: [any CodingKey], depth: Int, datesAreText: Bool
    ) throws -> SessionValue {
        if let simple = try simple(value) { return simple }
        guard depth <= SessionValue.maximumDepth else {
            throw SessionError(.notEncodable, "\(T.self) nests deeper than \(SessionValue.maximumDepth)")
        }
        let node = Node()
        try value.encode(to: ValueEncoder(node: node, codingPath: path, depth: depth, datesAreText: datesAreText))
        if datesAreText, FoundationDate.isOne(T.self) { return try FoundationDate.text(of: node.value(), path) }
        return node.value()
    }

    /// The kinds that need no containers; nil for others.
    @inline(__always)
    static func simple<T: Encodable>(_ value: T) throws -> SessionValue? {
        if T.self == Int.self { return .int(Int64(value as! Int)) }
        if T.self == String.self { return .string(value as! String) }
        if T.self == Bool.self { return .bool(value as! Bool) }
        if T.self == Double.self { return .double(value as! Double) }
        if T.self == SessionValue.self { return (value as! SessionValue) }
        if T.self == [UInt8].self { return .bytes(value as! [UInt8]) }
        if let number = value as? any FixedWidthInteger { return try integer(number) }
        if T.self == Float.self { return .double(Double(value as! Float)) }
        return nil
    }

    private static func integer(_ number: any FixedWidthInteger) throws -> SessionValue {
        guard let exact = Int64(exactly: number) else {
            throw SessionError(.notEncodable, "the integer \(number) does not fit Int64")
        }
        return .int(exact)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        node.becomeObject()
        return KeyedEncodingContainer(
            KeyedValueEncoder<Key>(node: node, codingPath: codingPath, depth: depth, datesAreText: datesAreText))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.becomeArray()
        return UnkeyedValueEncoder(node: node, codingPath: codingPath, depth: depth, datesAreText: datesAreText)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        self
    }
}

extension ValueEncoder: SingleValueEncodingContainer {
    func encodeNil() throws {
        node.content = .value(.null)
    }

    func encode<T: Encodable>(_ value: T) throws {
        node.content = .value(
            try Self.encode(value, path: codingPath, depth: depth + 1, datesAreText: datesAreText))
    }
}
