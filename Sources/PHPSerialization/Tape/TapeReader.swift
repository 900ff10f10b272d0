/// Reads values onto a tape of nodes: without recursion, in time linear in the bytes.
///
/// The bytes are those of one document, or of one value of it: references count from where it began.
struct TapeReader {
    var reader: TokenReader
    private(set) var nodes: [Node]
    /// Containers open now, and how many may be.
    private var depth = 0
    private let limits: PHPLimits
    private let mostNodes: Int
    /// The first node that references count.
    private let firstNode: Int
    /// The node of each number, from the first `R:` on; before it numbers and nodes go together.
    private var slots: [UInt32] = []
    private var countsSlots = false
    /// The last number that is sure: a `C:` after it takes as many as its class likes.
    private var lastSureSlot = Int.max
    private var unique = UniqueKeys()
    private var digests: [UInt32] = []
    private var keyPositions: [Int] = []

    /// `R:` and `r:`; `R:` alone.
    private(set) var referenceCount = 0
    private(set) var variableCount = 0
    private(set) var enumCount = 0
    private(set) var customCount = 0

    /// Reads `text` from `position`; the nodes come after `nodes`.
    init(_ text: UnsafeBufferPointer<UInt8>, at position: Int, after nodes: consuming [Node], limits: PHPLimits) {
        reader = TokenReader(text: text, position: position)
        firstNode = nodes.count
        mostNodes = nodes.count + limits.usedValues
        self.nodes = nodes
        self.limits = limits
    }

    mutating func reserve(_ count: Int) { nodes.reserveCapacity(nodes.count + count) }

    /// One value with all that is inside.
    mutating func value() throws(PHPSerializationError) {
        // While a container is open its node holds in `end` how many values are to come, in `next` what it is in.
        var parent = Node.none
        var key: UInt32 = 0
        while true {
            if let opened = try begin(parent: parent, key: key) {
                parent = opened
            } else {
                while parent != Node.none {
                    nodes[Int(parent)].end -= 1
                    if nodes[Int(parent)].end > 0 { break }
                    try reader.take("}", "\"}\" after the last value")
                    try checkKeys(of: Int(parent))
                    depth -= 1
                    let outer = nodes[Int(parent)].next
                    nodes[Int(parent)].end = UInt32(truncatingIfNeeded: reader.position)
                    nodes[Int(parent)].next = UInt32(truncatingIfNeeded: nodes.count)
                    parent = outer
                }
                if parent == Node.none { return }
            }
            key = reader.digest(try reader.key(isCanonical: nodes[Int(parent)].kind == .array))
        }
    }

    /// A value's text, or a container's up to its first key; gives the container.
    @inline(__always)
    private mutating func begin(parent: UInt32, key: UInt32) throws(PHPSerializationError) -> UInt32? {
        let start = reader.position
        guard nodes.count < mostNodes else { throw .limit("values", limits.usedValues, at: start) }
        var kind: Node.Kind
        var link: UInt32 = 0
        switch reader.byte {
        case UInt8(ascii: "s"):
            try reader.takeType()
            _ = try reader.quoted()
            try reader.take(";", "\";\" after a string")
            kind = .string
        case UInt8(ascii: "i"):
            try reader.takeType()
            _ = try reader.integer()
            try reader.take(";", "\";\" after an integer")
            kind = .int
        case UInt8(ascii: "a"):
            try reader.takeType()
            return try open(.array, start: start, parent: parent, key: key)
        case UInt8(ascii: "b"):
            try reader.takeType()
            guard reader.byte == UInt8(ascii: "0") || reader.byte == UInt8(ascii: "1") else {
                throw .expected("0 or 1", at: reader.position)
            }
            reader.position += 1
            try reader.take(";", "\";\" after a boolean")
            kind = .bool
        case UInt8(ascii: "N"):
            reader.position += 1
            try reader.take(";", "\";\" after \"N\"")
            kind = .null
        case UInt8(ascii: "d"):
            try reader.takeType()
            try reader.double()
            try reader.take(";", "\";\" after a number")
            kind = .double
        case UInt8(ascii: "O"):
            try reader.takeType()
            _ = try className()
            return try open(.object, start: start, parent: parent, key: key)
        case UInt8(ascii: "S"):
            try reader.takeType()
            _ = try reader.escaped()
            try reader.take(";", "\";\" after a string")
            kind = .escapedString
        case UInt8(ascii: "R"):
            try reader.takeType()
            link = try reference()
            kind = .reference
        case UInt8(ascii: "r"):
            try reader.takeType()
            link = try object()
            kind = .sameObject
        case UInt8(ascii: "E"):
            try reader.takeType()
            try enumCase()
            kind = .enumCase
        case UInt8(ascii: "C"):
            try reader.takeType()
            try custom()
            kind = .custom
        default:
            throw .expected("a value", at: start)
        }
        append(Node(kind, start: start, end: reader.position, next: nodes.count + 1, link: link, key: key))
        return nil
    }

    @inline(__always)
    private mutating func append(_ node: Node) {
        if countsSlots, node.kind != .reference { slots.append(UInt32(truncatingIfNeeded: nodes.count)) }
        nodes.append(node)
    }

    /// `2:{` and the container's node; nil when it is empty and closed at once.
    @inline(__always)
    private mutating func open(
        _ kind: Node.Kind, start: Int, parent: UInt32, key: UInt32
    ) throws(PHPSerializationError) -> UInt32? {
        let countStart = reader.position
        let count = try reader.count()
        try reader.take(":", "\":\" after the number of elements")
        try reader.take("{", "\"{\" before the elements")
        guard depth < limits.depth else { throw .limit("depth", limits.depth, at: start) }
        // `i:0;N;` is the shortest element.
        guard count <= (reader.text.count - reader.position) / 6 else {
            throw .expected("a number of elements that the bytes left can hold", at: countStart)
        }
        let index = nodes.count
        var node = Node(kind, start: start, end: count, next: Int(parent), key: key)
        node.link = UInt32(truncatingIfNeeded: reader.position)
        if count == 0 {
            try reader.take("}", "\"}\" after the last value")
            node.end = UInt32(truncatingIfNeeded: reader.position)
            node.next = UInt32(truncatingIfNeeded: index + 1)
        } else {
            depth += 1
        }
        append(node)
        return count == 0 ? nil : UInt32(truncatingIfNeeded: index)
    }

    /// `3:"Pub":`
    private mutating func className() throws(PHPSerializationError) -> Range<Int> {
        let start = reader.position
        let name = try reader.quoted()
        guard reader.isClassName(name) else { throw .expected("the name of a class", at: start) }
        try reader.take(":", "\":\" after the name of a class")
        return name
    }

    private mutating func enumCase() throws(PHPSerializationError) {
        let start = reader.position
        let name = try reader.quoted()
        guard let colon = reader.text[name].firstIndex(of: UInt8(ascii: ":")),
            reader.isClassName(name.lowerBound..<colon), reader.isClassName(colon + 1..<name.upperBound)
        else { throw .expected("the names of an enum and of its case", at: start) }
        try reader.take(";", "\";\" after an enum's case")
        enumCount += 1
    }

    private mutating func custom() throws(PHPSerializationError) {
        _ = try className()
        let start = reader.position
        let count = try reader.count()
        try reader.take(":", "\":\" after the length")
        try reader.take("{", "\"{\" before the class's own bytes")
        guard count < reader.text.count - reader.position else {
            throw .expected("a length that the bytes left can hold", at: start)
        }
        reader.position += count
        try reader.take("}", "\"}\" after as many bytes as the length says")
        customCount += 1
        if lastSureSlot == .max { lastSureSlot = slotCount + 1 }
    }

    // MARK: References

    private var slotCount: Int { countsSlots ? slots.count : nodes.count - firstNode }

    /// The node of a number; nil when a `C:` stands between.
    private mutating func target() throws(PHPSerializationError) -> Int? {
        let start = reader.position
        let number = try reader.count()
        try reader.take(";", "\";\" after the number of a value")
        referenceCount += 1
        guard number > 0, number <= slotCount || number > lastSureSlot else {
            throw .expected("the number of a value before", at: start)
        }
        guard number <= lastSureSlot else { return nil }
        return countsSlots ? Int(slots[number - 1]) : firstNode + number - 1
    }

    private mutating func reference() throws(PHPSerializationError) -> UInt32 {
        let target = try target()
        variableCount += 1
        if !countsSlots {
            slots = (firstNode..<nodes.count).map { UInt32(truncatingIfNeeded: $0) }
            countsSlots = true
        }
        guard let target else { return Node.none }
        nodes[target].isReferenced = true
        return UInt32(truncatingIfNeeded: target)
    }

    private mutating func object() throws(PHPSerializationError) -> UInt32 {
        let start = reader.position
        guard let target = try target() else { return Node.none }
        switch nodes[target].kind {
        case .object, .enumCase, .custom:
            nodes[target].isNamed = true
            return UInt32(truncatingIfNeeded: target)
        case .sameObject: return nodes[target].link
        default: throw .expected("the number of an object before", at: start)
        }
    }

    // MARK: Keys

    /// Refuses a key that is given twice: PHP would keep the last, and what is written would be another document.
    private mutating func checkKeys(of container: Int) throws(PHPSerializationError) {
        var child = container + 1
        var last = -1
        while child < nodes.count, nodes[child].key >> 31 == 0, Int(nodes[child].key) > last {
            last = Int(nodes[child].key)
            child = Int(nodes[child].next)
        }
        // A list.
        guard child < nodes.count else { return }
        digests.removeAll(keepingCapacity: true)
        keyPositions.removeAll(keepingCapacity: true)
        child = container + 1
        var position = Int(nodes[container].link)
        while child < nodes.count {
            digests.append(nodes[child].key)
            keyPositions.append(position)
            position = Int(nodes[child].end)
            child = Int(nodes[child].next)
        }
        let isArray = nodes[container].kind == .array
        let text = reader.text
        let positions = keyPositions
        let duplicate = try unique.duplicate(digests: digests) { (index) throws(PHPSerializationError) in
            var reader = TokenReader(text: text, position: positions[index])
            return reader.key(try reader.key(isCanonical: isArray))
        }
        if let duplicate { throw .expected("a key that was not given before", at: keyPositions[duplicate]) }
    }
}
