internal import CFastCGI

extension FCGX_Stream {
    /// Writes all of `bytes`. `FCGX_PutStr` counts in `Int32`: larger writes go in pieces.
    ///
    /// False when the stream has failed; libfcgi then drops what is written.
    @discardableResult
    static func put(_ stream: UnsafeMutablePointer<FCGX_Stream>, _ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = min(bytes.count - offset, 1 << 30)
            let start = (bytes.baseAddress! + offset).assumingMemoryBound(to: CChar.self)
            guard FCGX_PutStr(start, Int32(count), stream) == count else { return false }
            offset += count
        }
        return true
    }
}
