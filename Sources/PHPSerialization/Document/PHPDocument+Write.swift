public import GalletaPlatform

extension PHPDocument {
    /// Gives a name another value, as an assignment in PHP does: a variable that is in several places (`&`) changes in
    /// all of them. A new name comes last.
    ///
    /// - Parameters:
    ///   - name: The name. In an array, text that is a whole number becomes one.
    ///   - value: The value, with references to nothing outside of it.
    /// - Throws: When PHP would lose the value under such a name, would not read it, or when an object with
    ///   `Serializable` is in the document and the change is more than a scalar for a scalar, or a new name: the
    ///   numbers in such an object cannot be changed. Nothing is changed then.
    public mutating func set(_ name: ByteString, to value: PHPValue) throws(PHPSerializationError) {
        try checkChangeable()
        if let objection = format.objection(to: name) { throw .refused(.change, "\(objection)") }
        var writer = ValueWriter(bytes: [])
        try writer.write(value)
        try set(name, at: index(of: name), text: writer.bytes)
    }

    /// Removes a name with its value; what is also elsewhere stays there. Nothing happens when there is no such name.
    ///
    /// - Throws: When an object with `Serializable` is in the document: the numbers in it cannot be changed.
    public mutating func remove(_ name: ByteString) throws(PHPSerializationError) {
        try checkChangeable()
        guard let index = index(of: name) else { return }
        if customCount > 0 { throw Self.fixed("removing a name") }
        entries.remove(at: index)
        isChanged = true
    }

    /// The bytes, to be written where they were read. Without a change, those that were read.
    ///
    /// - Throws: When they would exceed a limit, so that they could not be read again; and for igbinary.
    public func encoded() throws(PHPSerializationError) -> [UInt8] {
        try checkWritable()
        if !isChanged { return bytes.count == sourceCount ? bytes : Array(bytes[..<sourceCount]) }
        let encoded = try encoded(as: format)
        guard encoded.count <= limits.usedBytes else { throw .limit("bytes", limits.usedBytes) }
        return encoded
    }

    private func checkWritable() throws(PHPSerializationError) {
        if format == .igbinary {
            throw .refused(
                .format, "igbinary is not written: set PHP's session.serialize_handler to php or php_serialize")
        }
        if format == .msgpack { throw .refused(.format, "msgpack is not written") }
    }

    private func checkChangeable() throws(PHPSerializationError) {
        try checkWritable()
        if format == .serialize, sourceCount > 0, nodes[0].kind != .array {
            throw .refused(.change, "a value that is no array has no names")
        }
    }

    /// The texts of all names and values in another format.
    func encoded(as other: PHPFormat) throws(PHPSerializationError) -> [UInt8] {
        if format.isOneValue, sourceCount > 0, nodes[0].kind != .array { return bytes }
        let isSame = other.isOneValue == format.isOneValue
        if !isSame, customCount > 0, referenceCount > 0 { throw Self.fixed("another format") }
        // Numbers can stay when nothing bears one, and have to when a `C:` may.
        let keepsNumbers = customCount > 0 || (referenceCount == 0 && enumCount < 2)
        let encoded = try write(lastNumber: other.isOneValue ? 1 : 0, capacity: bytes.count + 64) {
            (writer) throws(PHPSerializationError) in
            if other.isOneValue {
                var header = ValueWriter(bytes: [])
                header.putNumber("a:", entries.count, ":{")
                writer.put(header.bytes)
            }
            for entry in entries {
                if isSame {
                    writer.copy(entry.key)
                } else {
                    var key = ValueWriter(bytes: [])
                    key.put(.string(ByteString(bytes: bytes[entry.name])), isCanonical: true)
                    writer.put(key.bytes)
                }
                let variable = keepsNumbers ? Int(redirects[entry.node] ?? entry.node) : Int(entry.node)
                if keepsNumbers { writer.copy(nodes[variable].range) } else { try writer.write(variable) }
            }
            if other.isOneValue { writer.put(CollectionOfOne(UInt8(ascii: "}"))) }
        }
        let total = entries.reduce(0) { total, entry in
            let variable = redirects[entry.node] ?? entry.node
            return total + Int(nodes[Int(variable)].next - variable)
        }
        guard total <= limits.usedValues else { throw .limit("values", limits.usedValues) }
        return encoded
    }

    /// What is written by `body`.
    func write(
        lastNumber: Int = 0, capacity: Int, _ body: (inout GraphWriter) throws(PHPSerializationError) -> Void
    ) throws(PHPSerializationError) -> [UInt8] {
        try bytes.withUnsafeBufferPointer { (text) throws(PHPSerializationError) in
            try nodes.withUnsafeBufferPointer { (nodes) throws(PHPSerializationError) in
                var writer = GraphWriter(
                    text: text, nodes: nodes, redirects: redirects,
                    depth: limits.depth - (format.isOneValue ? 1 : 0), lastNumber: lastNumber,
                    capacity: capacity)
                if variableCount > 0 { try writer.counting(body) } else { try body(&writer) }
                return writer.finished()
            }
        }
    }

    private static func fixed(_ change: StaticString) -> PHPSerializationError {
        .refused(
            .change,
            "\(change) would change numbers inside an object whose class has Serializable, which only that can read: "
                + "let the class have __serialize, or make this change in PHP")
    }

    // MARK: Changes

    /// Gives the name at `index` (nil: a new one) the value that `text` is by itself.
    mutating func set(_ name: ByteString, at index: Int?, text: [UInt8]) throws(PHPSerializationError) {
        let before = bytes.count
        let root = nodes.count
        let newName = index == nil ? appendKey(name) : nil
        let start = bytes.count
        bytes.append(contentsOf: text)
        do {
            try append(at: start, replacing: index)
        } catch {
            bytes.removeLast(bytes.count - before)
            throw .refused(error.code, error.reason)
        }
        if let newName {
            entries.append(Entry(key: newName.key, name: newName.name, node: root))
        } else if let index {
            replace(index, with: UInt32(truncatingIfNeeded: root))
        }
        isChanged = true
        try compact()
    }

    /// Makes nodes of a value that stands last in `bytes`.
    private mutating func append(at start: Int, replacing index: Int?) throws(PHPSerializationError) {
        var own = limits
        own.depth -= format.isOneValue ? 1 : 0
        let root = nodes.count
        // Handed over, so that they are not copied.
        var before: [Node] = []
        swap(&before, &nodes)
        let (tape, failure) = bytes.withUnsafeBufferPointer { text in
            var tape = TapeReader(text, at: start, after: before, limits: own)
            before = []
            do throws(PHPSerializationError) {
                try tape.value()
                guard tape.reader.position == text.count else {
                    throw .expected("the end of the value", at: tape.reader.position)
                }
                try check(tape, replacing: index, root: root)
                return (tape, PHPSerializationError?.none)
            } catch {
                return (tape, error)
            }
        }
        nodes = tape.nodes
        if let failure {
            nodes.removeLast(nodes.count - root)
            throw failure
        }
        count(tape)
    }

    /// Refuses what would change the numbers in an object that only its class can read.
    private func check(_ tape: TapeReader, replacing index: Int?, root: Int) throws(PHPSerializationError) {
        guard customCount > 0 else { return }
        guard let index else {
            if tape.referenceCount > 0 { throw Self.fixed("a new value with references") }
            return
        }
        guard tape.nodes[Int(entries[index].node)].kind.isScalar, tape.nodes[root].kind.isScalar else {
            throw Self.fixed("replacing a value that is not a scalar, or by one that is not")
        }
    }

    private mutating func replace(_ index: Int, with root: UInt32) {
        let old = entries[index].node
        let variable = nodes[Int(old)].kind == .reference ? nodes[Int(old)].link : old
        if nodes[Int(variable)].isReferenced {
            redirects[variable] = root
        } else {
            entries[index].node = root
        }
    }

    private mutating func appendKey(_ name: ByteString) -> (key: Range<Int>, name: Range<Int>) {
        var writer = ValueWriter(bytes: [])
        var nameOffset = 0
        switch format.code {
        case .php: writer.bytes = name.bytes + [UInt8(ascii: "|")]
        case .phpBinary:
            writer.bytes = [UInt8(name.count)] + name.bytes
            nameOffset = 1
        default:
            writer.put(.string(name), isCanonical: true)
            // Before the name are its letter, its length and marks; after it one mark or two.
            nameOffset = writer.bytes.count - name.count - (writer.bytes.first == UInt8(ascii: "s") ? 2 : 1)
        }
        let start = bytes.count
        bytes += writer.bytes
        return (start..<bytes.count, start + nameOffset..<start + nameOffset + name.count)
    }

    /// Drops values that were replaced, once they are several times what a document may be.
    private mutating func compact() throws(PHPSerializationError) {
        guard bytes.count > 4 * limits.usedBytes + 4_096 || nodes.count > 4 * limits.usedValues + 4_096 else { return }
        self = try PHPDocument(encoded(), format: format, limits: limits)
    }
}

extension Node.Kind {
    var isScalar: Bool {
        switch self {
        case .null, .bool, .int, .double, .string, .escapedString: true
        default: false
        }
    }
}
