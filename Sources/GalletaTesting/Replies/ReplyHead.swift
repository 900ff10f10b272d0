internal import HTTPTypes

/// The header block of an answer (RFC 3875, section 6), out of what comes on STDOUT.
struct ReplyHead {
    let status: HTTPResponse.Status
    let headers: HTTPFields

    /// Takes the block from the front of `bytes`; nil while not all of it is there.
    ///
    /// - Throws: ``TestClientError`` for what no web server could read.
    init?(from bytes: inout [UInt8]) throws(TestClientError) {
        guard let end = Self.end(of: bytes) else { return nil }
        var status: HTTPResponse.Status?
        var headers = HTTPFields()
        for line in bytes[..<end.lowerBound].split(separator: 0x0a) {
            let line = line.last == 0x0d ? line.dropLast() : line
            guard let colon = line.firstIndex(of: 0x3a) else {
                throw TestClientError(.malformed("a header line has no colon"))
            }
            let name = String(decoding: line[..<colon], as: UTF8.self)
            let value = String(decoding: line[(colon + 1)...].drop { $0 == 0x20 }, as: UTF8.self)
            if name.lowercased() == "status" {
                guard let code = Int(value.prefix(3)) else {
                    throw TestClientError(.malformed("its status is \"\(value)\""))
                }
                status = HTTPResponse.Status(code: code, reasonPhrase: String(value.dropFirst(4)))
            } else if let name = HTTPField.Name(name) {
                headers.append(HTTPField(name: name, value: value))
            } else {
                throw TestClientError(.malformed("\"\(name)\" is no name of a header"))
            }
        }
        guard let status else { throw TestClientError(.malformed("it has no status")) }
        self.status = status
        self.headers = headers
        bytes.removeSubrange(..<end.upperBound)
    }

    /// Where the empty line is.
    private static func end(of bytes: [UInt8]) -> Range<Int>? {
        guard bytes.count >= 4 else { return nil }
        for start in 0...bytes.count - 4
        where bytes[start] == 0x0d && bytes[start + 1] == 0x0a && bytes[start + 2] == 0x0d && bytes[start + 3] == 0x0a {
            return start..<start + 4
        }
        return nil
    }
}
