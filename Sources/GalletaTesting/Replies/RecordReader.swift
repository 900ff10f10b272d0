/// Takes a server's bytes apart into records (FastCGI 1.0, section 3.3).
struct RecordReader {
    /// What a server sends of an answer.
    enum Record {
        case output([UInt8])
        case errors([UInt8])
        /// END_REQUEST, and its protocol status: 0 for a request that was answered.
        case end(status: UInt8)
    }

    private var bytes: [UInt8] = []
    private var offset = 0

    /// Has `read` put bytes into a buffer of `size`; it returns how many, as recv(2) does.
    mutating func withRoom(_ size: Int, _ read: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        if offset > 0 {
            bytes.removeFirst(offset)
            offset = 0
        }
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { room in
            let count = read(room)
            if count > 0 { bytes.append(contentsOf: room[..<count]) }
            return count
        }
    }

    /// The next record, once all of it is there; those that mean nothing here are passed over.
    mutating func next() -> Record? {
        while bytes.count - offset >= 8 {
            let content = offset + 8..<offset + 8 + (Int(bytes[offset + 4]) << 8 | Int(bytes[offset + 5]))
            let end = content.upperBound + Int(bytes[offset + 6])
            guard bytes.count >= end else { return nil }
            defer { offset = end }
            switch bytes[offset + 1] {
            case 3: return .end(status: content.count > 4 ? bytes[content.lowerBound + 4] : 0)
            case 6 where !content.isEmpty: return .output(Array(bytes[content]))
            case 7 where !content.isEmpty: return .errors(Array(bytes[content]))
            default: continue
            }
        }
        return nil
    }
}
