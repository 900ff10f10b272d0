/// A web server's answer to one HTTP request.
public struct HTTPReply: Sendable {
    public var status = 0
    public var headers: [(name: String, value: String)] = []
    public var body: [UInt8] = []

    public init() {}

    public var text: String { String(decoding: body, as: UTF8.self) }

    public subscript(name: String) -> String? { all(name).first }

    public func all(_ name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The web server takes no further request on this connection (RFC 9112, section 9.6): the next needs a new client.
    public var endsConnection: Bool { self["Connection"]?.lowercased() == "close" }

    /// `name=value` of the first cookie that is set.
    public var cookie: String? { self["Set-Cookie"]?.split(separator: ";").first.map(String.init) }
}
