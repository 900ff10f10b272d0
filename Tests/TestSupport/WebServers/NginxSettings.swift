/// What a test may want otherwise than `nginx.conf.example` has it.
public struct NginxSettings: Sendable {
    /// nginx's worker processes; each keeps connections of its own.
    public var workers = 2
    /// Idle connections that each worker keeps to the FastCGI server.
    public var keepalive = 64
    /// False: bodies reach the FastCGI server while the client still sends them.
    public var buffersRequests = true
    /// Largest body, in nginx's notation.
    public var maxBody = "8m"
    /// Directives for the location of the application, `/app/`.
    public var extra = ""

    public init(
        workers: Int = 2, keepalive: Int = 64, buffersRequests: Bool = true, maxBody: String = "8m", extra: String = ""
    ) {
        self.workers = workers
        self.keepalive = keepalive
        self.buffersRequests = buffersRequests
        self.maxBody = maxBody
        self.extra = extra
    }

    /// The lines that take the place of `# SITE:` lines, as ``WebServer`` wants them.
    func siteLines(sockets: [String]) -> [String] {
        [
            "workers=worker_processes \(workers);",
            "socket=" + sockets.map { "server unix:\($0) max_fails=0;" }.joined(separator: " "),
        ]
    }

    /// Changes what tests want otherwise. A line that is not there is a failure: a test that only believes its
    /// pool to be small proves nothing.
    func apply(to configuration: String) throws -> String {
        var text = configuration
        try Self.replace("keepalive 64;", with: "keepalive \(keepalive);", in: &text)
        try Self.replace(
            "fastcgi_request_buffering on;", with: "fastcgi_request_buffering \(buffersRequests ? "on" : "off");",
            in: &text)
        try Self.replace("client_max_body_size 8m;", with: "client_max_body_size \(maxBody);", in: &text)
        try Self.replace("location ^~ /app/ {", with: "location ^~ /app/ {\n\(extra)", in: &text)
        return text
    }

    /// Replaces the one place where `old` stands; any other number of places is a failure.
    public static func replace(_ old: String, with new: String, in text: inout String) throws {
        let parts = text.split(separator: old, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw TestFailure(description: "nginx.conf.example has \"\(old)\" \(parts.count - 1) times, not once")
        }
        text = parts.joined(separator: new)
    }
}
