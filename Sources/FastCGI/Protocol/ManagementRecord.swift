/// A record about the server and none of its requests (FastCGI 1.0, section 4): web servers and health checks ask what an
/// application can do.
struct ManagementRecord: Equatable {
    let type: UInt8
    /// Bounded by the check.
    var content: [UInt8] = []

    init(type: UInt8) {
        self.type = type
    }

    /// What is to be sent.
    ///
    /// - Parameter maxConnections: What the server can take at a time, and so the requests, too: they are not multiplexed.
    func answer(maxConnections: Int) -> RecordBuffer {
        var buffer = RecordBuffer()
        if type == RecordHeader.Kind.getValues {
            var values: [UInt8] = []
            for name in ["FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"] where asks(for: name) {
                let value = name == "FCGI_MPXS_CONNS" ? "0" : "\(maxConnections)"
                values += [UInt8(name.utf8.count), UInt8(value.utf8.count)] + Array(name.utf8) + Array(value.utf8)
            }
            values.withUnsafeBytes { buffer.appendRecord(RecordHeader.Kind.getValuesResult, id: 0, $0) }
        } else {
            // Section 4.2: the type that is not known, and seven bytes that mean nothing.
            [type, 0, 0, 0, 0, 0, 0, 0].withUnsafeBytes {
                buffer.appendRecord(RecordHeader.Kind.unknownType, id: 0, $0)
            }
        }
        return buffer
    }

    /// Whether the content has a pair of this name. What is no pair asks for nothing.
    private func asks(for name: String) -> Bool {
        var rest = content[...]
        while rest.count >= 2 {
            // Names and values of values are short: a length of four bytes ends the list.
            let (nameLength, valueLength) = (Int(rest[rest.startIndex]), Int(rest[rest.startIndex + 1]))
            guard nameLength < 128, valueLength < 128, rest.count >= 2 + nameLength + valueLength else { return false }
            if rest.dropFirst(2).prefix(nameLength).elementsEqual(name.utf8) { return true }
            rest = rest.dropFirst(2 + nameLength + valueLength)
        }
        return false
    }
}
