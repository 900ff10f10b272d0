internal import GalletaPlatform

extension PHPDocument {
    /// Makes nodes and entries of `bytes`.
    mutating func read() throws(PHPSerializationError) {
        if bytes.isEmpty, format.code != .serialize { return }
        let bytes = bytes
        try bytes.withUnsafeBufferPointer { (text) throws(PHPSerializationError) in
            var tape = TapeReader(text, at: 0, after: [], limits: limits)
            // A value takes twenty bytes or so.
            tape.reserve(min(limits.usedValues, text.count / 16 + 4))
            switch format.code {
            case .php: try readNamed(&tape)
            case .phpBinary: try readCounted(&tape)
            default: try readArray(&tape)
            }
            nodes = tape.nodes
            count(tape)
            if format.isOneValue { try nameElements(text) } else { try checkNames(text) }
        }
    }

    mutating func count(_ tape: TapeReader) {
        referenceCount += tape.referenceCount
        variableCount += tape.variableCount
        enumCount += tape.enumCount
        customCount += tape.customCount
    }

    /// `name|value`, over and over.
    private mutating func readNamed(_ tape: inout TapeReader) throws(PHPSerializationError) {
        let text = tape.reader.text
        while tape.reader.position < text.count {
            let start = tape.reader.position
            var end = start
            while end < text.count, text[end] != UInt8(ascii: "|") { end += 1 }
            guard end < text.count else { throw .expected("a name with \"|\" after it", at: start) }
            tape.reader.position = end + 1
            try add(key: start..<end + 1, name: start..<end, &tape)
        }
    }

    /// A byte with the length, the name, the value, over and over.
    private mutating func readCounted(_ tape: inout TapeReader) throws(PHPSerializationError) {
        let text = tape.reader.text
        while tape.reader.position < text.count {
            let start = tape.reader.position
            let end = start + 1 + Int(text[start])
            guard text[start] < 0x80, end < text.count else {
                throw .expected("a name's length, at most 127 and within the bytes", at: start)
            }
            tape.reader.position = end
            try add(key: start..<end, name: start + 1..<end, &tape)
        }
    }

    private mutating func add(
        key: Range<Int>, name: Range<Int>, _ tape: inout TapeReader
    ) throws(PHPSerializationError) {
        entries.append(Entry(key: key, name: name, node: tape.nodes.count))
        try tape.value()
    }

    private func readArray(_ tape: inout TapeReader) throws(PHPSerializationError) {
        guard format.code == .serialize || tape.reader.byte == UInt8(ascii: "a") else {
            throw .expected("an array", at: 0)
        }
        try tape.value()
        guard tape.reader.position == tape.reader.text.count else {
            throw .expected("the end of the bytes", at: tape.reader.position)
        }
    }

    /// Entries for the elements of the one array.
    private mutating func nameElements(_ text: UnsafeBufferPointer<UInt8>) throws(PHPSerializationError) {
        guard nodes[0].kind == .array else { return }
        var reader = TokenReader(text: text, position: Int(nodes[0].link))
        var child = 1
        while child < nodes.count {
            let start = reader.position
            let token = try reader.key(isCanonical: true)
            let name: Range<Int>
            if case .bytes(let range) = token {
                name = range
            } else {
                // In the form in which it is looked for. What stands behind the source is no part of it.
                let text = reader.key(token).text
                name = bytes.count..<bytes.count + text.count
                text.withUnsafeBytes { bytes.append(contentsOf: $0) }
            }
            entries.append(Entry(key: start..<reader.position, name: name, node: child))
            reader.position = Int(nodes[child].end)
            child = Int(nodes[child].next)
        }
    }

    /// Refuses a name that is given twice.
    private func checkNames(_ text: UnsafeBufferPointer<UInt8>) throws(PHPSerializationError) {
        let reader = TokenReader(text: text, position: 0)
        var unique = UniqueKeys()
        let entries = entries
        let duplicate = try unique.duplicate(digests: entries.map { reader.digest($0.name) }) {
            (index) throws(PHPSerializationError) in
            .string(reader.string(entries[index].name))
        }
        if let duplicate { throw .expected("a name that was not given before", at: Int(entries[duplicate].keyStart)) }
    }
}

extension PHPDocument.Entry {
    init(key: Range<Int>, name: Range<Int>, node: Int) {
        keyStart = UInt32(truncatingIfNeeded: key.lowerBound)
        keyEnd = UInt32(truncatingIfNeeded: key.upperBound)
        nameStart = UInt32(truncatingIfNeeded: name.lowerBound)
        nameEnd = UInt32(truncatingIfNeeded: name.upperBound)
        self.node = UInt32(truncatingIfNeeded: node)
    }
}
