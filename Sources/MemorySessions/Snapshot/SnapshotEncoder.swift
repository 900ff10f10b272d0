internal import Sessions

/// Appends records in the form of `SnapshotFrame`, and counts them.
package struct SnapshotEncoder {
    /// What was encoded and not taken yet.
    package var output: [UInt8] = []
    package private(set) var sessions: UInt64 = 0
    private(set) var removals: UInt64 = 0
    private let mark: UInt64

    /// Begins a file.
    package init(_ header: SnapshotHeader) {
        mark = header.mark
        header.append(to: &output)
        header.append(to: &output)
    }

    /// - Parameter payload: Appends the session, in the form of its store.
    package mutating func appendSession(_ payload: (inout [UInt8]) -> Void) {
        sessions += 1
        append(type: 1, payload)
    }

    /// - Parameter payload: Appends the id, in the form of its store.
    package mutating func appendRemoval(_ payload: (inout [UInt8]) -> Void) {
        removals += 1
        append(type: 2, payload)
    }

    mutating func append(_ session: SnapshotSession) {
        appendSession { session.append(to: &$0) }
    }

    mutating func appendRemoval(of digest: MemoryKey) {
        appendRemoval { $0.append(digest) }
    }

    /// Ends the file.
    package mutating func appendEnd() {
        let (sessions, removals) = (sessions, removals)
        append(type: 3) {
            $0.append(littleEndian: sessions)
            $0.append(littleEndian: removals)
        }
    }

    private mutating func append(type: UInt32, _ payload: (inout [UInt8]) -> Void) {
        let start = output.count
        output.append(littleEndian: mark)
        // The length and the checksums are known when the payload is there.
        output.append(contentsOf: [UInt8](repeating: 0, count: SnapshotFrame.byteCount - 8))
        payload(&output)
        let seed = UInt32(truncatingIfNeeded: mark)
        output.withUnsafeMutableBytes { bytes in
            let frame = UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
            let body = UnsafeRawBufferPointer(rebasing: frame[SnapshotFrame.byteCount...])
            frame.storeBytes(of: UInt32(body.count).littleEndian, toByteOffset: 8, as: UInt32.self)
            frame.storeBytes(of: type.littleEndian, toByteOffset: 12, as: UInt32.self)
            frame.storeBytes(of: CRC32C.checksum(body, after: seed).littleEndian, toByteOffset: 16, as: UInt32.self)
            let head = UnsafeRawBufferPointer(rebasing: frame[..<20])
            frame.storeBytes(of: CRC32C.checksum(head, after: seed).littleEndian, toByteOffset: 20, as: UInt32.self)
        }
    }
}
