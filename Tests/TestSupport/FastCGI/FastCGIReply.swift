/// What a FastCGI server answered to one request.
public struct FastCGIReply: Sendable {
    /// All of STDOUT.
    public var output: [UInt8] = []
    /// All of STDERR.
    public var errors: [UInt8] = []
    /// END_REQUEST arrived, with this protocol status (section 5.5).
    public var protocolStatus: UInt8?
    /// The server closed the connection before END_REQUEST.
    public var isCut: Bool { protocolStatus == nil }
    /// The ids that the records carried.
    public var ids: Set<UInt16> = []

    public init() {}

    private var headEnd: Int? {
        guard output.count >= 4 else { return nil }
        return (0...output.count - 4).first { Array(output[$0..<$0 + 4]) == [13, 10, 13, 10] }
    }

    /// The header block's lines.
    public var headerLines: [String] {
        guard let headEnd else { return [] }
        return String(decoding: output[..<headEnd], as: UTF8.self).split(separator: "\r\n").map(String.init)
    }

    /// The value of the first header of that name.
    public subscript(header: String) -> String? { all(header).first }

    /// The session's cookie, as a browser sends it back.
    public var sessionCookie: String? {
        self["Set-Cookie"].map { String($0.prefix { $0 != ";" }) }
    }

    /// All values of the headers of that name.
    public func all(_ header: String) -> [String] {
        headerLines.compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == header.lowercased() else {
                return nil
            }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
    }

    /// The number in the Status header.
    public var status: Int? { self["Status"].flatMap { Int($0.prefix(3)) } }

    public var body: [UInt8] { headEnd.map { Array(output[($0 + 4)...]) } ?? [] }

    public var text: String { String(decoding: body, as: UTF8.self) }
}
