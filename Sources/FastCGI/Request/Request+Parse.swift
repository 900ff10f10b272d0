internal import HTTPTypes

extension Request {
    /// Why the parameters of a sane FastCGI head make no HTTP request that a handler could answer.
    struct Unusable: HTTPStatusError, CustomStringConvertible {
        let status: HTTPResponse.Status
        let description: String
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
        guard let uri = context.value(of: "REQUEST_URI") else {
            throw Unusable(
                status: .internalServerError,
                description: "the parameter REQUEST_URI is missing; add \"fastcgi_param REQUEST_URI $request_uri;\""
            )
        }
        do throws(RequestTarget.Failure) {
            target = try RequestTarget(uri, mount: context.settings.mount)
        } catch {
            target = RequestTarget(unroutable: uri)
            failure = Self.unusable(error, context)
        }
        self.failure = failure
    }

    private static func unusable(_ failure: RequestTarget.Failure, _ context: RequestContext) -> Unusable {
        switch failure {
        case .outsideMount:
            Unusable(
                status: .notFound,
                description: "the path is not below the mount point \"\(context.settings.mount.path)\" (--mount)"
            )
        case .malformed(let reason):
            Unusable(status: .badRequest, description: reason)
        }
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
