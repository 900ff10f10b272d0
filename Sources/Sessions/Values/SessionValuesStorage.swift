/// The bytes of a `SessionValues`: one heap object, written once and never changed.
///
/// Unsafe code about values is here and in `ValueReader` only.
final class SessionValuesStorage: ManagedBuffer<SessionValuesStorage.Header, UInt8> {
    struct Header {
        /// All bytes.
        var byteCount: UInt32
        /// Application keys; reserved ones are not counted.
        var keyCount: UInt32
    }

    /// Makes an object of `byteCount` bytes; `fill` must initialise each of them.
    static func build(
        byteCount: Int, keyCount: Int, fill: (UnsafeMutableRawBufferPointer) -> Void
    ) -> SessionValuesStorage {
        let header = Header(byteCount: UInt32(byteCount), keyCount: UInt32(keyCount))
        let made = create(minimumCapacity: byteCount) { _ in header }
        let storage = unsafeDowncast(made, to: SessionValuesStorage.self)
        storage.withUnsafeMutablePointerToElements {
            fill(UnsafeMutableRawBufferPointer(start: $0, count: byteCount))
        }
        return storage
    }

    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeMutablePointers { (header, bytes) throws(Failure) -> Result in
            try body(UnsafeRawBufferPointer(start: bytes, count: Int(header.pointee.byteCount)))
        }
    }
}
