public import GalletaPlatform

/// What PHP wrote, to be read and changed under its names: a session in one of PHP's formats, or the text of
/// `serialize()`.
///
///     var document = try PHPDocument(bytes, format: .php)
///     let user = try document.value("user_id")?.int
///     try document.set("last_seen", to: 1_700_000_000)
///     let changed = try document.encoded()
///
/// Everything that is not changed goes back byte by byte as it came: objects of classes that nobody here knows, text of
/// any encoding, numbers in their form. Variables and objects that occur in several places are written as PHP would,
/// with their numbers anew. What nobody changed is returned as it was read.
///
/// It lacks on purpose: changes inside of a value (read it, change it, set it), and any knowledge of classes.
///
/// Cost: reading and writing take time linear in the bytes; finding a name, in the number of names. Threading: a value;
/// copies share their bytes until one changes.
public struct PHPDocument: Sendable {
    /// A name with its value. The positions are those of `bytes`.
    struct Entry {
        /// The name with all its marks.
        var keyStart: UInt32
        var keyEnd: UInt32
        var nameStart: UInt32
        var nameEnd: UInt32
        var node: UInt32

        var key: Range<Int> { Int(keyStart)..<Int(keyEnd) }
        var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    }

    /// The format that it was read in and will be written in.
    public let format: PHPFormat
    /// What it may cost at most.
    public let limits: PHPLimits

    /// What was read, then each value that was set.
    var bytes: [UInt8]
    var sourceCount: Int
    /// Of all values in `bytes`, those that were replaced included.
    var nodes: [Node] = []
    var entries: [Entry] = []
    /// New values of variables that are in several places, by the node that was read.
    var redirects: [UInt32: UInt32] = [:]
    /// `R:` and `r:`; `R:` alone.
    var referenceCount = 0
    var variableCount = 0
    var enumCount = 0
    var customCount = 0
    /// Whether `encoded` is something else than what was read.
    var isChanged = false

    /// A document without names.
    ///
    /// - Parameters:
    ///   - format: The format in which it will be written.
    ///   - limits: What it may cost at most.
    public init(format: PHPFormat, limits: PHPLimits = PHPLimits()) {
        self.format = format
        self.limits = limits
        bytes = []
        sourceCount = 0
        isChanged = format.code == .serialize
    }

    /// Reads a document. No bytes are a session without names.
    ///
    /// - Parameters:
    ///   - bytes: All of the document.
    ///   - format: Their format.
    ///   - limits: What it may cost at most.
    /// - Throws: When the bytes are not in the format, are in one that is not read, or exceed a limit. That PHP would
    ///   read some of them (numbers that wrap, a name given twice, bytes after the end) does not help: they could not
    ///   be written back as they were.
    public init(
        _ bytes: [UInt8], format: PHPFormat, limits: PHPLimits = PHPLimits()
    ) throws(PHPSerializationError) {
        guard bytes.count <= limits.usedBytes else { throw .limit("bytes", limits.usedBytes, at: limits.usedBytes) }
        if format == .msgpack { throw Self.unread(.msgpack) }
        self.format = format
        self.limits = limits
        self.bytes = format == .igbinary ? try IgbinaryReader.serialized(bytes, limits: limits) : bytes
        sourceCount = self.bytes.count
        do {
            try read()
        } catch {
            if let other = PHPFormat.recognized(in: bytes), other != format { throw Self.unread(other) }
            throw error
        }
    }

    private static func unread(_ format: PHPFormat) -> PHPSerializationError {
        let remedy =
            format == .igbinary
            ? "read them with format .igbinary" : "set PHP's session.serialize_handler to php or php_serialize"
        return .refused(.format, "the bytes are in the format \(format): \(remedy)")
    }

    // MARK: Reading

    /// The number of names.
    public var count: Int { entries.count }

    /// All names in their order, of an array in a text of `serialize()` its keys. Another value there has none.
    public var names: [ByteString] {
        entries.map { entry in bytes[entry.name].withUnsafeBytes { ByteString(bytes: $0) } }
    }

    /// The value of a name by itself; nil when there is none.
    ///
    /// - Throws: When it is not to be had as a ``PHPValue``: more than 512 arrays and objects inside each other, or
    ///   references past an object that only its class can read.
    public func value(_ name: ByteString) throws(PHPSerializationError) -> PHPValue? {
        guard let index = index(of: name) else { return nil }
        return try value(ofNode: Int(entries[index].node))
    }

    /// All names and their values by themselves, in their order; a look-up by name walks the names.
    ///
    /// - Throws: As ``value(_:)``; and where the values would take more than `limits.bytes` by themselves, for each of the names
    ///   that share one has it whole.
    public func values() throws(PHPSerializationError) -> [(name: ByteString, value: PHPValue)] {
        var values: [(name: ByteString, value: PHPValue)] = []
        values.reserveCapacity(entries.count)
        var room = limits.usedBytes
        for (name, entry) in zip(names, entries) {
            values.append((name, try value(ofNode: Int(entry.node), taking: &room)))
        }
        return values
    }

    /// All names in their order, with their values by themselves; nil where ``values()`` would throw: of what only its class can
    /// read, of too much inside each other, of what many names share.
    package func valuesWherePossible() -> [(name: ByteString, value: PHPValue?)] {
        var values: [(name: ByteString, value: PHPValue?)] = []
        values.reserveCapacity(entries.count)
        var room = limits.usedBytes
        for (name, entry) in zip(names, entries) {
            let before = room
            let value = try? value(ofNode: Int(entry.node), taking: &room)
            if value == nil { room = before }
            values.append((name, value))
        }
        return values
    }

    /// The text of a name's value as it stands in the document.
    package func text(at position: Int) -> [UInt8] { Array(bytes[nodes[Int(entries[position].node)].range]) }

    /// The value that a name and then keys of arrays and names of members lead to; nil when one of them is not there.
    /// No more than this value is made of the document.
    ///
    /// - Throws: As ``value(_:)``.
    public func value(_ name: ByteString, _ path: PHPKey...) throws(PHPSerializationError) -> PHPValue? {
        try value(name, path)
    }

    /// As ``value(_:_:)``, for a path that is known when the program runs.
    public func value(_ name: ByteString, _ path: [PHPKey]) throws(PHPSerializationError) -> PHPValue? {
        guard let index = index(of: name) else { return nil }
        var node = Int(entries[index].node)
        for key in path {
            guard let child = try child(key, of: node) else { return nil }
            node = child
        }
        return try value(ofNode: node)
    }

    /// All of it as one value: an array with the names as keys, or whatever a text of `serialize()` holds.
    ///
    /// - Throws: As ``value(_:)``.
    public func root() throws(PHPSerializationError) -> PHPValue {
        if format.isOneValue, !isChanged, !bytes.isEmpty { return try read(nodes, bytes, 0) }
        if !format.isOneValue, referenceCount == 0 {
            var elements: [PHPArray.Element] = []
            for (name, entry) in zip(names, entries) {
                elements.append(PHPArray.Element(key: PHPKey(name), value: try value(ofNode: Int(entry.node))))
            }
            return .array(PHPArray(elements))
        }
        let copy = try PHPDocument(encoded(as: .serialize), format: .serialize, limits: limits.unbounded)
        return try copy.read(copy.nodes, copy.bytes, 0)
    }

    /// The place of a name.
    func index(of name: ByteString) -> Int? {
        name.withUnsafeBytes { name in
            bytes.withUnsafeBytes { bytes in
                entries.firstIndex { $0.name.count == name.count && bytes[$0.name].elementsEqual(name) }
            }
        }
    }

    /// The node of a variable's content.
    func content(of node: Int) throws(PHPSerializationError) -> Int {
        var node = node
        if nodes[node].kind == .reference { node = try followed(node) }
        if let replacement = redirects[UInt32(node)] { node = Int(replacement) }
        return nodes[node].kind == .sameObject ? try followed(node) : node
    }

    private func followed(_ node: Int) throws(PHPSerializationError) -> Int {
        guard nodes[node].link != Node.none else {
            throw .refused(.value, "what a number after an object with Serializable means is known to its class only")
        }
        return Int(nodes[node].link)
    }

    private func child(_ key: PHPKey, of node: Int) throws(PHPSerializationError) -> Int? {
        let container = try content(of: node)
        guard nodes[container].isContainer else { return nil }
        let isArray = nodes[container].kind == .array
        let wanted = isArray ? PHPKey(key.text) : key
        return try bytes.withUnsafeBufferPointer { (text) throws(PHPSerializationError) in
            var reader = TokenReader(text: text, position: Int(nodes[container].link))
            var child = container + 1
            while child < Int(nodes[container].next) {
                let found = reader.key(try reader.key(isCanonical: isArray))
                if found == wanted || (!isArray && PHPObject.name(of: found).name == wanted.text) { return child }
                reader.position = Int(nodes[child].end)
                child = Int(nodes[child].next)
            }
            return nil
        }
    }

    func value(ofNode node: Int) throws(PHPSerializationError) -> PHPValue {
        var room = Int.max
        return try value(ofNode: node, taking: &room)
    }

    /// - Parameter room: What the texts of values may take; this one's is taken from it.
    private func value(ofNode node: Int, taking room: inout Int) throws(PHPSerializationError) -> PHPValue {
        let content = try content(of: node)
        let inside = content..<Int(nodes[content].next)
        // Else its references have numbers of the whole document.
        let text = hasNoNumbers(inside) ? nil : try text(ofNode: node)
        room -= text?.count ?? nodes[content].range.count
        guard room >= 0 else { throw .limit("bytes", limits.bytes) }
        guard let text else { return try read(nodes, bytes, content) }
        let own = try PHPDocument(text, format: .serialize, limits: limits.unbounded)
        return try own.read(own.nodes, own.bytes, 0)
    }

    /// The text of a variable by itself.
    func text(ofNode node: Int) throws(PHPSerializationError) -> [UInt8] {
        let content = try content(of: node)
        let range = nodes[content].range
        if hasNoNumbers(content..<Int(nodes[content].next)) { return Array(bytes[range]) }
        return try write(capacity: range.count) { (writer) throws(PHPSerializationError) in try writer.write(node) }
    }

    private func hasNoNumbers(_ inside: Range<Int>) -> Bool {
        referenceCount == 0 || nodes[inside].allSatisfy { $0.kind != .reference && $0.kind != .sameObject }
    }

    private func read(
        _ nodes: [Node], _ bytes: [UInt8], _ node: Int
    ) throws(PHPSerializationError) -> PHPValue {
        try bytes.withUnsafeBufferPointer { (text) throws(PHPSerializationError) in
            try nodes.withUnsafeBufferPointer { (nodes) throws(PHPSerializationError) in
                try ValueReader(text: text, nodes: nodes).value(node)
            }
        }
    }
}

extension PHPLimits {
    /// For what was inside limits before and is only put together anew.
    var unbounded: PHPLimits { PHPLimits(bytes: 1 << 30, values: 1 << 30, depth: depth + 1) }
}
