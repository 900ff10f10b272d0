/// One FastCGI record to send, well-formed or not (FastCGI 1.0, section 3.3).
public struct FastCGIRecord: Sendable {
    /// Record types (section 8).
    public enum Kind {
        public static let begin: UInt8 = 1
        public static let abort: UInt8 = 2
        public static let end: UInt8 = 3
        public static let params: UInt8 = 4
        public static let stdin: UInt8 = 5
        public static let stdout: UInt8 = 6
        public static let stderr: UInt8 = 7
        public static let data: UInt8 = 8
        public static let getValues: UInt8 = 9
    }

    public var version: UInt8 = 1
    public var type: UInt8
    public var id: UInt16
    public var content: [UInt8]
    public var padding: Int
    /// Replaces the content's true length in the header.
    public var claimedLength: Int?

    public init(_ type: UInt8, id: UInt16 = 1, _ content: [UInt8] = [], padding: Int = 0) {
        self.type = type
        self.id = id
        self.content = content
        self.padding = padding
    }

    public var bytes: [UInt8] {
        let length = claimedLength ?? content.count
        return [
            version, type, UInt8(id >> 8), UInt8(id & 255), UInt8(length >> 8 & 255), UInt8(length & 255),
            UInt8(padding), 0,
        ] + content + [UInt8](repeating: 0, count: padding)
    }

    /// BEGIN_REQUEST (section 5.1).
    public static func begin(id: UInt16 = 1, role: UInt16 = 1, keep: Bool = true) -> FastCGIRecord {
        FastCGIRecord(Kind.begin, id: id, [UInt8(role >> 8), UInt8(role & 255), keep ? 1 : 0, 0, 0, 0, 0, 0])
    }

    /// Name-value pairs (section 3.4); lengths of four bytes where one would do with `longLengths`.
    public static func pairs(_ pairs: [(String, String)], longLengths: Bool = false) -> [UInt8] {
        pairs.flatMap { name, value in
            length(name.utf8.count, isLong: longLengths) + length(value.utf8.count, isLong: longLengths)
                + Array(name.utf8) + Array(value.utf8)
        }
    }

    /// A length of one byte, or of four from 128 on (section 3.4).
    public static func length(_ length: Int, isLong: Bool = false) -> [UInt8] {
        if length < 128, !isLong { return [UInt8(length)] }
        return [
            UInt8(length >> 24 & 0x7f) | 0x80, UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255),
        ]
    }

    /// A stream cut into records of at most `size` bytes, its end record included.
    public static func stream(_ type: UInt8, id: UInt16 = 1, _ content: [UInt8], size: Int = 65_535) -> [UInt8] {
        var bytes: [UInt8] = []
        var offset = 0
        while offset < content.count {
            let end = min(offset + size, content.count)
            bytes += FastCGIRecord(type, id: id, Array(content[offset..<end])).bytes
            offset = end
        }
        return bytes + FastCGIRecord(type, id: id).bytes
    }

    /// BEGIN and PARAMS of a request as nginx sends them.
    public static func head(
        _ method: String = "GET",
        _ uri: String = "/",
        id: UInt16 = 1,
        role: UInt16 = 1,
        keep: Bool = true,
        contentLength: Int? = nil,
        _ more: [(String, String)] = []
    ) -> [UInt8] {
        var all = [("REQUEST_METHOD", method), ("REQUEST_URI", uri)]
        if !more.contains(where: { $0.0 == "REMOTE_ADDR" }) { all.append(("REMOTE_ADDR", "192.0.2.1")) }
        if let contentLength { all.append(("CONTENT_LENGTH", String(contentLength))) }
        return begin(id: id, role: role, keep: keep).bytes + stream(Kind.params, id: id, pairs(all + more))
    }

    /// A whole request.
    public static func request(
        _ method: String = "GET",
        _ uri: String = "/",
        id: UInt16 = 1,
        keep: Bool = true,
        body: [UInt8] = [],
        _ more: [(String, String)] = []
    ) -> [UInt8] {
        head(method, uri, id: id, keep: keep, contentLength: body.isEmpty ? nil : body.count, more)
            + stream(Kind.stdin, id: id, body)
    }
}
