internal import HTTPTypes

extension Request {
    /// Why the parameters of a sane FastCGI head make no HTTP request that a handler could answer.
    struct Unusable: HTTPStatusError, CustomStringConvertible {
        let status: HTTPResponse.Status
        let description: String

        /// Its head has not come yet.
        static let incomplete = Unusable(status: .badRequest, description: "the request is incomplete")
    }

    /// Reads what every request needs out of the parameters.
    ///
    /// A request with a `failure` is one to be answered, so that whoever sees answers sees this one, too; but no handler
    /// may see it.
    init(context: RequestContext) throws(Unusable) {
        self.context = RequestContextBox(inner: context)
        method = try Self.method(context)
        var failure: Unusable?
        do throws(Unusable) {
            context.contentLength = try Self.contentLength(context)
        } catch {
            failure = error
        }
        do throws(Unusable) {
            target = try Self.target(context)
        } catch {
            target = .unroutable
            failure = error
        }
        self.failure = failure
    }

    /// Reads the address from the parameter that the configuration names; of a peer that sends no address at all, from
    /// SCRIPT_NAME and PATH_INFO.
    private static func target(_ context: RequestContext) throws(Unusable) -> RequestTarget {
        let address = context.settings.address
        let mount = context.settings.mount
        var source = address.parameter.string
        do throws(RequestTarget.Failure) {
            if let value = address.parameter.withUnsafeBytes(context.parameters.value(of:)) {
                switch address.form {
                case .raw: return try RequestTarget(raw: value, mount: mount)
                case .decoded: return try RequestTarget(decoded: value, query: query(context), mount: mount)
                }
            }
            source = "the path of SCRIPT_NAME and PATH_INFO"
            // Whoever sends REQUEST_URI is a web server whose configuration lacks the parameter that was chosen instead:
            // SCRIPT_NAME of such a one is the mount point, whatever is asked for.
            if context.value(of: "REQUEST_URI") == nil, let path = try scriptPath(context) {
                return try path.withUnsafeBytes { bytes in
                    Result { () throws(RequestTarget.Failure) in
                        try RequestTarget(decoded: bytes, query: query(context), mount: mount)
                    }
                }.get()
            }
        } catch {
            switch error {
            case .outsideMount:
                throw Unusable(
                    status: .notFound, description: "\(source) is not below the mount point \"\(mount.path)\"")
            case .malformed(let reason):
                throw Unusable(status: .badRequest, description: "\(source) \(reason)")
            }
        }
        throw Unusable(
            status: .internalServerError,
            description: """
                the parameter \(address.parameter) is missing; add \"fastcgi_param \(address.parameter) \
                \(address.form == .raw ? "$request_uri" : "$uri");\"
                """
        )
    }

    private static func query(_ context: RequestContext) -> String { context.string(of: "QUERY_STRING") ?? "" }

    /// SCRIPT_NAME and PATH_INFO as one path; nil when both are absent or empty.
    private static func scriptPath(_ context: RequestContext) throws(RequestTarget.Failure) -> [UInt8]? {
        let script = context.value(of: "SCRIPT_NAME").map(Array.init) ?? []
        let info = context.value(of: "PATH_INFO").map(Array.init) ?? []
        guard !script.isEmpty || !info.isEmpty else { return nil }
        // Without its slash it would go on with the script's last segment.
        guard info.isEmpty || info.first == UInt8(ascii: "/") else {
            throw .malformed("does not join: the latter has no slash in front")
        }
        return script + info
    }

    private static func method(_ context: RequestContext) throws(Unusable) -> HTTPRequest.Method {
        guard let bytes = context.value(of: "REQUEST_METHOD") else {
            throw Unusable(
                status: .internalServerError,
                description:
                    "the parameter REQUEST_METHOD is missing; add \"fastcgi_param REQUEST_METHOD $request_method;\""
            )
        }
        if bytes.elementsEqual("GET".utf8) { return .get }
        if bytes.elementsEqual("POST".utf8) { return .post }
        guard let method = HTTPRequest.Method(String(decoding: bytes, as: UTF8.self)) else {
            throw Unusable(status: .badRequest, description: "REQUEST_METHOD is not a token")
        }
        return method
    }

    /// CONTENT_LENGTH: absent, empty and `-1` mean unknown (Caddy sends `-1` for a chunked upload); what is no number is
    /// refused.
    static func contentLength(_ context: RequestContext) throws(Unusable) -> Int? {
        guard let bytes = context.value(of: "CONTENT_LENGTH"), !bytes.isEmpty, !bytes.elementsEqual("-1".utf8) else {
            return nil
        }
        var length = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), length < Int.max / 16 else {
                throw Unusable(status: .badRequest, description: "CONTENT_LENGTH is not a number")
            }
            length = length * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return length
    }
}

extension Request {
    /// A request out of its records, taken in as those of a connection are, for a handler that is called without a server.
    ///
    /// - Parameters:
    ///   - records: All records of one request (FastCGI 1.0, section 3.3).
    ///   - configuration: Mount point and limits.
    /// - Throws: ``HTTPStatusError`` where a server would answer it by itself, or `ConfigurationError` as a server's start.
    package static func read(from records: [UInt8], _ configuration: Server.Configuration) throws -> Request {
        try configuration.validate()
        try LibraryRequest.start()
        let exchange = Exchange(configuration)
        switch records.withUnsafeBytes({ exchange.take($0) }).1 {
        case .complete: return try exchange.takeRequest()
        case .waiting where exchange.needsNoBody: return try exchange.takeRequest()
        case .refused(let refusal): throw Unusable(status: .badRequest, description: refusal.rawValue)
        case .waiting, .endless, .management: throw Unusable.incomplete
        }
    }
}
