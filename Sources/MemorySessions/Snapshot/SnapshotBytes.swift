/// Reads fixed-width little-endian numbers. Nothing is read beyond the end: it gives zeros, and `isShort` tells.
package struct SnapshotBytes {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    package private(set) var isShort = false

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    package mutating func next<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number {
        guard bytes.count - offset >= MemoryLayout<Number>.size else {
            isShort = true
            return 0
        }
        defer { offset += MemoryLayout<Number>.size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// What is left.
    package var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[offset...]) }
}

extension [UInt8] {
    package mutating func append(littleEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}
