internal import GalletaPlatform

/// Makes values of the nodes of a text. Numbers of references are taken as they stand there: it has to be the text of
/// that value alone.
struct ValueReader {
    let text: UnsafeBufferPointer<UInt8>
    let nodes: UnsafeBufferPointer<Node>

    func value(_ index: Int, depth: Int = 0) throws(PHPSerializationError) -> PHPValue {
        let node = nodes[index]
        // Behind the letter and the colon. The text was checked when the nodes were made.
        var reader = TokenReader(text: text, position: Int(node.start) + 2)
        switch node.kind {
        case .null: return .null
        case .bool: return .bool(reader.byte == UInt8(ascii: "1"))
        case .int: return .int(try reader.integer())
        case .double: return .double(number(Int(node.start) + 2..<Int(node.end) - 1))
        case .string: return .string(reader.string(try reader.quoted()))
        case .escapedString: return .string(ByteString(bytes: reader.unescaped(try reader.escaped())))
        case .array: return .array(try elements(index, depth: depth))
        case .object:
            let name = reader.string(try reader.quoted())
            return .object(PHPObject(className: name, members: try elements(index, depth: depth)))
        case .custom:
            let name = reader.string(try reader.quoted())
            reader.position += 1
            let count = try reader.count()
            let payload = reader.position + 2..<reader.position + 2 + count
            return .custom(PHPCustomObject(className: name, payload: Array(text[payload])))
        case .enumCase:
            let range = try reader.quoted()
            let colon = text[range].firstIndex(of: UInt8(ascii: ":")) ?? range.lowerBound
            return .enumCase(
                PHPEnumCase(
                    className: reader.string(range.lowerBound..<colon),
                    name: reader.string(colon + 1..<range.upperBound)
                ))
        case .reference: return .reference(to: try reader.count())
        case .sameObject: return .sameObject(as: try reader.count())
        }
    }

    private func elements(_ index: Int, depth: Int) throws(PHPSerializationError) -> PHPArray {
        guard depth < PHPLimits.valueDepth else {
            throw .refused(
                .value,
                "more than \(PHPLimits.valueDepth) arrays and objects inside each other: read what is inside by path"
            )
        }
        let node = nodes[index]
        var elements: [PHPArray.Element] = []
        var reader = TokenReader(text: text, position: Int(node.link))
        var child = index + 1
        while child < Int(node.next) {
            let key = reader.key(try reader.key(isCanonical: node.kind == .array))
            elements.append(PHPArray.Element(key: key, value: try value(child, depth: depth + 1)))
            reader.position = Int(nodes[child].end)
            child = Int(nodes[child].next)
        }
        return PHPArray(elements)
    }

    private func number(_ range: Range<Int>) -> Double {
        let text = String(decoding: text[range], as: UTF8.self)
        return Double(text) ?? (text.hasPrefix("-") ? -Double.infinity : text == "NAN" ? .nan : .infinity)
    }
}
