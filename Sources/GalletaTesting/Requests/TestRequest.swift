public import FastCGI
internal import GalletaPlatform
public import HTTPTypes

/// A request of a test, as the browser and the web server put it together.
public struct TestRequest: Sendable {
    /// The method.
    public var method: HTTPRequest.Method
    /// Path and query, mount point included. Characters beyond ASCII, and blanks, are percent-encoded when it is sent; the
    /// rest stays as it is, `%2F` and `..` too.
    public var target: String
    /// The header fields beside those of the client.
    public var headers: HTTPFields
    /// The body; nil for none, which differs from an empty one in its length being absent.
    public var body: [UInt8]?
    /// Whether it comes by HTTPS; nil leaves that to the client.
    public var isSecure: Bool?
    /// The address that it comes from; nil leaves that to the client.
    public var remoteAddress: String?
    /// The role in which the web server calls. An authorizer's request has no body.
    public var role = Request.Role.responder
    /// FastCGI parameters in the place of those that the client makes of all this, or beside them; nil leaves one out.
    public var fastCGI: [(name: String, value: String?)] = []

    /// - Parameters:
    ///   - method: The method.
    ///   - path: The path, mount point included; it may have a query.
    ///   - query: Fields that are added to the query.
    ///   - headers: Header fields.
    ///   - content: The body, and its type.
    ///   - fastCGI: FastCGI parameters, sent as they are; nil leaves one out.
    public init(
        _ method: HTTPRequest.Method, _ path: String, query: FormFields = [:], headers: HTTPFields = [:],
        content: TestContent? = nil, fastCGI: KeyValuePairs<String, String?> = [:]
    ) {
        self.method = method
        target = path
        if !query.isEmpty { target += (path.contains("?") ? "&" : "?") + query.urlEncoded }
        self.headers = headers
        body = content?.bytes
        if let type = content?.type, headers[.contentType] == nil { self.headers[.contentType] = type }
        self.fastCGI = fastCGI.map { ($0.key, $0.value) }
    }

    /// As ``init(_:_:query:headers:content:fastCGI:)``, with the content in one of its forms.
    init(
        _ method: HTTPRequest.Method, _ path: String, query: FormFields, headers: HTTPFields, form: FormFields?,
        json: (any Encodable)?, content: TestContent?
    ) throws {
        precondition(
            (form == nil ? 0 : 1) + (json == nil ? 0 : 1) + (content == nil ? 0 : 1) <= 1,
            "a request has one body: give form, json or content")
        let content = try form.map(TestContent.form) ?? json.map { try TestContent.json($0) } ?? content
        self.init(method, path, query: query, headers: headers, content: content)
    }

    /// The path as it is sent.
    var path: String { String(encodedTarget.prefix { $0 != "?" }) }

    private var encodedTarget: String {
        PercentCoding.encode(target.utf8) { $0 > 0x20 && $0 < 0x7f }
    }

    // MARK: As a web server sends it

    /// What the test says of a FastCGI parameter; nil if nothing.
    func parameter(_ name: String) -> String? { fastCGI.first { $0.name == name }?.value }

    /// All records of the request (FastCGI 1.0, section 3.3).
    ///
    /// - Parameters:
    ///   - settings: What the client's requests have in common.
    ///   - mount: Where the application is mounted.
    ///   - cookie: The `Cookie` field.
    ///   - id: The web server's id of the request.
    func records(_ settings: TestClient.Settings, mount: String, cookie: String?, id: String) -> [UInt8] {
        var writer = RecordWriter(role: role)
        writer.add(RecordWriter.params, pairs(settings, mount, cookie, id))
        if role == .responder { writer.add(RecordWriter.stdin, body ?? []) }
        return writer.bytes
    }

    /// The parameters, as nginx sends them with the configuration that comes with Galleta.
    private func pairs(
        _ settings: TestClient.Settings, _ mount: String, _ cookie: String?, _ id: String
    ) -> [UInt8] {
        let isSecure = isSecure ?? settings.isSecure
        let target = encodedTarget
        var pairs = ParameterWriter(without: fastCGI.map(\.name))
        pairs.add("REQUEST_METHOD", method.rawValue)
        pairs.add("REQUEST_URI", target)
        pairs.add("QUERY_STRING", target.firstIndex(of: "?").map { String(target[target.index(after: $0)...]) } ?? "")
        pairs.add("SCRIPT_NAME", mount)
        if let body { pairs.add("CONTENT_LENGTH", String(body.count)) }
        if let type = headers[.contentType] { pairs.add("CONTENT_TYPE", type) }
        pairs.add("GATEWAY_INTERFACE", "CGI/1.1")
        pairs.add("SERVER_PROTOCOL", "HTTP/1.1")
        pairs.add("SERVER_SOFTWARE", "nginx")
        pairs.add("SERVER_NAME", settings.host)
        pairs.add("SERVER_ADDR", "192.0.2.254")
        pairs.add("SERVER_PORT", isSecure ? "443" : "80")
        pairs.add("REMOTE_ADDR", remoteAddress ?? settings.remoteAddress)
        pairs.add("REMOTE_PORT", "49152")
        let scheme = isSecure ? "https" : "http"
        pairs.add("REQUEST_SCHEME", scheme)
        if isSecure { pairs.add("HTTPS", "on") }
        let host = headers[HTTPField.Name("Host")!] ?? settings.host
        pairs.add("REQUEST_ORIGIN", "\(scheme)://\(host)")
        pairs.add("REQUEST_ID", id)
        if headers[HTTPField.Name("Host")!] == nil { pairs.add("HTTP_HOST", host) }
        for field in settings.headers where headers[field.name] == nil { pairs.add(field) }
        for field in headers { pairs.add(field) }
        if let cookie { pairs.add("HTTP_COOKIE", cookie) }
        for (name, value) in fastCGI {
            if let value { pairs.append(name, value) }
        }
        return pairs.bytes
    }
}

/// Writes name-value pairs (FastCGI 1.0, section 3.4).
private struct ParameterWriter {
    private(set) var bytes: [UInt8] = []
    private let excluded: Set<String>

    init(without names: [String]) {
        excluded = Set(names)
    }

    /// Adds a pair, unless the test has one of its name.
    mutating func add(_ name: String, _ value: String) {
        if !excluded.contains(name) { append(name, value) }
    }

    /// Adds a header field under CGI's name for it (RFC 3875, section 4.1.18).
    mutating func add(_ field: HTTPField) {
        let name = field.name.canonicalName
        // They have names of their own.
        guard name != "content-type", name != "content-length" else { return }
        add("HTTP_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined(), field.value)
    }

    mutating func append(_ name: String, _ value: String) {
        appendLength(name.utf8.count)
        appendLength(value.utf8.count)
        bytes += name.utf8
        bytes += value.utf8
    }

    private mutating func appendLength(_ length: Int) {
        if length < 128 {
            bytes.append(UInt8(length))
        } else {
            let word = UInt32(length) | 1 << 31
            for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
        }
    }
}

/// Writes the records of one request (FastCGI 1.0, section 3.3), which does not keep its connection.
private struct RecordWriter {
    static let params: UInt8 = 4
    static let stdin: UInt8 = 5

    private(set) var bytes: [UInt8]

    /// Begins with BEGIN_REQUEST (section 5.1).
    init(role: Request.Role) {
        bytes = [1, 1, 0, 1, 0, 8, 0, 0, 0, role == .authorizer ? 2 : 1, 0, 0, 0, 0, 0, 0]
    }

    /// Adds a stream and its end.
    mutating func add(_ type: UInt8, _ content: [UInt8]) {
        bytes.reserveCapacity(bytes.count + content.count + content.count / 8192 + 16)
        var start = 0
        while start < content.count {
            let end = min(start + 65_535, content.count)
            addHeader(type, end - start)
            bytes += content[start..<end]
            start = end
        }
        addHeader(type, 0)
    }

    private mutating func addHeader(_ type: UInt8, _ length: Int) {
        bytes += [1, type, 0, 1, UInt8(length >> 8), UInt8(length & 255), 0, 0]
    }
}
