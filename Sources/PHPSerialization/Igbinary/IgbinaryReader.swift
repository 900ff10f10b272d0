/// Turns what the extension igbinary wrote (version 2, https://github.com/igbinary/igbinary) into the text of
/// `serialize()`, which holds the same values.
///
/// Numbers are big-endian. Strings, the names of classes and members among them, are numbered from 0 in their order and
/// may be given by number. Arrays, objects and variables behind `&` share another numbering from 0.
///
/// Without recursion. An array may be given again by number, by value: the text is bounded, not only the bytes.
struct IgbinaryReader {
    /// Something that may be given again by its number.
    private struct Counted {
        let position: Int
        /// The number in the text.
        let slot: Int
        let isObject: Bool
        /// After its last byte; nil while it is open.
        var end: Int?
    }

    private struct Frame {
        var missing: Int
        /// What it is by number; nil for an array that is given again.
        let counted: Int?
        /// Where to go on after an array that was given again.
        let back: Int?
        let isObject: Bool
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let limits: PHPLimits
    private var position = 4
    private var strings: [Range<Int>] = []
    private var counted: [Counted] = []
    private var numberAt: [Int: Int] = [:]
    private var frames: [Frame] = []
    private var replays = 0
    private var slots = 0
    private var text = ValueWriter(bytes: [])

    /// The text.
    static func serialized(_ bytes: [UInt8], limits: PHPLimits) throws(PHPSerializationError) -> [UInt8] {
        if bytes.isEmpty { return [] }
        guard bytes.starts(with: [0, 0, 0, 2]) else { throw .expected("00 00 00 02, igbinary's version 2", at: 0) }
        return try bytes.withUnsafeBufferPointer { (bytes) throws(PHPSerializationError) in
            var reader = IgbinaryReader(bytes: bytes, limits: limits)
            try reader.readAll()
            guard reader.position == bytes.count else { throw .expected("the end of the bytes", at: reader.position) }
            return reader.text.bytes
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, limits: PHPLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    private mutating func readAll() throws(PHPSerializationError) {
        try value()
        while let index = frames.indices.last {
            guard frames[index].missing > 0 else {
                text.put("}")
                let frame = frames.removeLast()
                if let own = frame.counted { counted[own].end = position }
                if let back = frame.back {
                    position = back
                    replays -= 1
                }
                continue
            }
            frames[index].missing -= 1
            try key(isCanonical: !frames[index].isObject)
            try value()
        }
    }

    private mutating func key(isCanonical: Bool) throws(PHPSerializationError) {
        let start = position
        let type = try byte()
        if let range = try string(type) {
            text.put(.string(TokenReader(text: bytes, position: 0).string(range)), isCanonical: isCanonical)
        } else if let number = try integer(type) {
            text.put(.int(number), isCanonical: false)
        } else {
            throw .expected("a key, a string or an integer", at: start)
        }
    }

    /// A value's text, or a container's up to its first key.
    private mutating func value() throws(PHPSerializationError) {
        let start = position
        guard slots < limits.usedValues else { throw .limit("values", limits.usedValues, at: start) }
        guard text.bytes.count <= limits.usedBytes else { throw .limit("bytes", limits.usedBytes, at: start) }
        var type = try byte()
        let isReference = type == 0x25
        if isReference { type = try byte() }
        if let again = try number(type, of: 0x01) {
            return try repeated(again, isReference: isReference, isObject: false, at: start)
        }
        if let again = try number(type, of: 0x22) {
            return try repeated(again, isReference: isReference, isObject: true, at: start)
        }
        if replays > 0, let known = numberAt[start], isReference || counted[known].isObject {
            // Inside of an array that is given again: what is shared stays shared.
            return try repeated(known, isReference: isReference, isObject: true, skips: true, at: start)
        }
        slots += 1
        if let range = try string(type) {
            if isReference { count(start, isObject: false, isOpen: false) }
            text.putNumber("s:", range.count, ":\"")
            guard text.bytes.count + range.count <= limits.usedBytes else {
                throw .limit("bytes", limits.usedBytes, at: start)
            }
            text.bytes.append(contentsOf: bytes[range])
            return text.put("\";")
        }
        if let number = try integer(type) {
            if isReference { count(start, isObject: false, isOpen: false) }
            return text.putNumber("i:", number, ";")
        }
        if let elements = try number(type, of: 0x14) {
            text.putNumber("a:", elements, ":{")
            return try open(elements, isObject: false, at: start)
        }
        if let name = try className(type) { return try object(name, at: start) }
        switch type {
        case 0x00: text.put("N;")
        case 0x04: text.put("b:0;")
        case 0x05: text.put("b:1;")
        case 0x0C:
            text.put("d:")
            DoubleText.append(Double(bitPattern: UInt64(try unsigned(8))), to: &text.bytes)
            text.put(";")
        default: throw .expected("a value", at: start)
        }
        if isReference { count(start, isObject: false, isOpen: false) }
    }

    // MARK: Containers

    private mutating func open(_ elements: Int, isObject: Bool, at start: Int) throws(PHPSerializationError) {
        guard frames.count < limits.depth else { throw .limit("depth", limits.depth, at: start) }
        // A key and a value take three bytes at least.
        guard elements <= (bytes.count - position) / 3 + 1 else {
            throw .expected("a number of elements that the bytes left can hold", at: start)
        }
        let own = count(start, isObject: isObject, isOpen: true)
        frames.append(Frame(missing: elements, counted: own, back: nil, isObject: isObject))
    }

    private mutating func object(_ name: Range<Int>, at start: Int) throws(PHPSerializationError) {
        let type = try byte()
        if let members = try number(type, of: 0x14) {
            put("O:", name)
            text.putNumber(":", members, ":{")
            return try open(members, isObject: true, at: start)
        }
        if let length = try number(type, of: 0x1D) {
            let payload = try take(length)
            put("C:", name)
            text.putNumber(":", length, ":{")
            text.bytes.append(contentsOf: bytes[payload])
            text.put("}")
        } else if type == 0x27, let caseName = try string(try byte()) {
            text.putNumber("E:", name.count + 1 + caseName.count, ":\"")
            text.bytes.append(contentsOf: bytes[name])
            text.put(":")
            text.bytes.append(contentsOf: bytes[caseName])
            text.put("\";")
        } else {
            throw .expected("an object's members, its class's own bytes or an enum's case", at: position)
        }
        count(start, isObject: true, isOpen: false)
    }

    private mutating func put(_ before: StaticString, _ name: Range<Int>) {
        text.putNumber(before, name.count, ":\"")
        text.bytes.append(contentsOf: bytes[name])
        text.put("\"")
    }

    // MARK: Numbers of values

    @discardableResult
    private mutating func count(_ start: Int, isObject: Bool, isOpen: Bool) -> Int? {
        guard replays == 0 else { return nil }
        numberAt[start] = counted.count
        counted.append(Counted(position: start, slot: slots, isObject: isObject, end: isOpen ? nil : position))
        return counted.count - 1
    }

    private mutating func repeated(
        _ number: Int, isReference: Bool, isObject: Bool, skips: Bool = false, at start: Int
    ) throws(PHPSerializationError) {
        guard number < counted.count else { throw .expected("the number of a value before", at: start) }
        let known = counted[number]
        guard isReference || known.isObject else {
            guard known.end != nil, !isObject else { throw .expected("the number of a whole array before", at: start) }
            replays += 1
            let back = position
            position = known.position
            if bytes[position] == 0x25 { position += 1 }
            let depth = frames.count
            try value()
            guard frames.count > depth else {
                position = back
                replays -= 1
                return
            }
            let frame = frames.removeLast()
            frames.append(Frame(missing: frame.missing, counted: nil, back: back, isObject: false))
            return
        }
        if !isReference { slots += 1 }
        text.putNumber(isReference ? "R:" : "r:", known.slot, ";")
        if skips {
            guard let end = known.end else { throw .expected("the number of a whole array before", at: start) }
            position = end
        }
    }

    // MARK: Bytes

    private mutating func byte() throws(PHPSerializationError) -> UInt8 {
        guard position < bytes.count else { throw .expected("more bytes", at: position) }
        position += 1
        return bytes[position - 1]
    }

    private mutating func take(_ count: Int) throws(PHPSerializationError) -> Range<Int> {
        guard count <= bytes.count - position else {
            throw .expected("a length that the bytes left can hold", at: position)
        }
        position += count
        return position - count..<position
    }

    private mutating func unsigned(_ width: Int) throws(PHPSerializationError) -> UInt {
        var number: UInt = 0
        for index in try take(width) { number = number << 8 | UInt(bytes[index]) }
        return number
    }

    /// A number of 1, 2 or 4 bytes, by which of three types it is; nil for another type.
    private mutating func number(_ type: UInt8, of first: UInt8) throws(PHPSerializationError) -> Int? {
        guard type >= first, type <= first + 2 else { return nil }
        return Int(try unsigned(1 << Int(type - first)))
    }

    private mutating func integer(_ type: UInt8) throws(PHPSerializationError) -> Int? {
        let width: Int
        switch type {
        case 0x06, 0x07: width = 1
        case 0x08, 0x09: width = 2
        case 0x0A, 0x0B: width = 4
        case 0x20, 0x21: width = 8
        default: return nil
        }
        let start = position
        let number = try unsigned(width)
        guard number <= UInt(Int.max) + UInt(type & 1) else { throw .expected("an integer of 64 bits", at: start) }
        return Int(bitPattern: type & 1 == 1 ? 0 &- number : number)
    }

    /// Where a string's bytes are; nil for another type.
    private mutating func string(_ type: UInt8) throws(PHPSerializationError) -> Range<Int>? {
        if type == 0x0D { return position..<position }
        if let known = try number(type, of: 0x0E) { return try string(numbered: known) }
        if let length = try number(type, of: 0x11) { return try new(length) }
        return nil
    }

    private mutating func className(_ type: UInt8) throws(PHPSerializationError) -> Range<Int>? {
        if let length = try number(type, of: 0x17) { return try new(length) }
        if let known = try number(type, of: 0x1A) { return try string(numbered: known) }
        return nil
    }

    private mutating func new(_ length: Int) throws(PHPSerializationError) -> Range<Int> {
        let range = try take(length)
        if replays == 0 { strings.append(range) }
        return range
    }

    private func string(numbered known: Int) throws(PHPSerializationError) -> Range<Int> {
        guard known < strings.count else { throw .expected("the number of a string before", at: position) }
        return strings[known]
    }
}
