internal import GalletaPlatform

/// Writes a value as `serialize()` does.
struct ValueWriter {
    var bytes: [UInt8]

    mutating func write(_ value: PHPValue, depth: Int = 0) throws(PHPSerializationError) {
        switch value {
        case .null: put("N;")
        case .bool(let value): put(value ? "b:1;" : "b:0;")
        case .int(let number): putNumber("i:", number, ";")
        case .double(let number):
            put("d:")
            DoubleText.append(number, to: &bytes)
            put(";")
        case .string(let text): putString("s:", text, "\";")
        case .array(let array):
            putNumber("a:", array.elements.count, ":{")
            try write(array, isCanonical: true, depth: depth)
        case .object(let object):
            putString("O:", object.className, "\"")
            putNumber(":", object.members.elements.count, ":{")
            try write(object.members, isCanonical: false, depth: depth)
        case .enumCase(let value):
            putString("E:", ByteString(bytes: value.className.bytes + [UInt8(ascii: ":")] + value.name.bytes), "\";")
        case .custom:
            throw .refused(.value, "an object of a class with Serializable is not written: leave it where it is")
        case .reference(let number): putNumber("R:", number, ";")
        case .sameObject(let number): putNumber("r:", number, ";")
        }
    }

    private mutating func write(_ array: PHPArray, isCanonical: Bool, depth: Int) throws(PHPSerializationError) {
        guard depth < PHPLimits.valueDepth else {
            throw .refused(
                .value, "a value with more than \(PHPLimits.valueDepth) arrays and objects inside each other")
        }
        for element in array.elements {
            put(element.key, isCanonical: isCanonical)
            try write(element.value, depth: depth + 1)
        }
        put("}")
    }

    mutating func put(_ key: PHPKey, isCanonical: Bool) {
        switch isCanonical ? PHPKey(key.text) : key {
        case .int(let number): putNumber("i:", number, ";")
        case .string(let text): putString("s:", text, "\";")
        }
    }

    private mutating func putString(_ before: StaticString, _ text: ByteString, _ after: StaticString) {
        putNumber(before, text.count, ":\"")
        text.withUnsafeBytes { bytes.append(contentsOf: $0) }
        put(after)
    }

    mutating func putNumber(_ before: StaticString, _ number: Int, _ after: StaticString) {
        put(before)
        bytes.append(decimal: number)
        put(after)
    }

    mutating func put(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

extension [UInt8] {
    /// The digits of a number, with its sign.
    mutating func append(decimal number: Int) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var index = digits.count
            var rest = number.magnitude
            repeat {
                index -= 1
                digits[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                index -= 1
                digits[index] = UInt8(ascii: "-")
            }
            append(contentsOf: UnsafeBufferPointer(rebasing: digits[index...]))
        }
    }
}
