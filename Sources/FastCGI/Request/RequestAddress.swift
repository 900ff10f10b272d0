/// The FastCGI parameter in which a web server says what is asked for, and its form.
///
/// The default, REQUEST_URI as the client sent it, suits every web server. Another parameter is for a server that leads
/// requests elsewhere by itself: after nginx's `rewrite` or `error_page`, `$request_uri` still is what the client asked for,
/// and `$uri` where the request goes.
///
/// ```swift
/// configuration.address = try RequestAddress("GALLETA_PATH", form: .decoded)  // fastcgi_param GALLETA_PATH $uri;
/// ```
///
/// A request without the parameter and without REQUEST_URI (health checkers, `cgi-fcgi`) is routed by SCRIPT_NAME and
/// PATH_INFO, which are decoded by definition (RFC 3875, sections 4.1.5 and 4.1.13). With REQUEST_URI alone it is answered
/// with 500, and the log names the parameter that is missing.
public struct RequestAddress: Sendable, Equatable {
    /// How the parameter holds a path.
    public enum Form: Sendable {
        /// As the client sent it: percent-encoded, the query behind a `?`.
        case raw
        /// Decoded and resolved by the web server, the query in QUERY_STRING.
        ///
        /// It is split at its slashes, all else stands for itself: it is never decoded again, a `?` is a part of the path,
        /// and a `.` or `..` as a segment is refused with 400. An encoded slash of the client is lost: it has become a
        /// slash.
        case decoded
    }

    /// The parameter's name.
    public let parameter: ByteString
    /// How it holds a path.
    public let form: Form

    /// - Throws: `ConfigurationError` for a name that is empty, has other characters than ASCII letters, digits and `_`,
    ///   that clients fill by a header field of their own (`HTTP_…`, `CONTENT_TYPE`, `CONTENT_LENGTH`), since what the web
    ///   server has checked would not be what is routed, or that stands for something else by RFC 3875 or in what web servers
    ///   add to it (`QUERY_STRING`, `REMOTE_…`, `SCRIPT_FILENAME` …).
    public init(_ parameter: ByteString, form: Form = .raw) throws(ConfigurationError) {
        let isName = parameter.withUnsafeBytes { bytes in
            !bytes.isEmpty
                && bytes.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
        guard isName else {
            throw ConfigurationError(
                field: "address",
                reason: "\"\(parameter)\" is not the name of a FastCGI parameter",
                remedy: "give letters, digits and _, such as GALLETA_PATH"
            )
        }
        guard !parameter.withUnsafeBytes({ $0.starts(with: "HTTP_".utf8) }), parameter != "CONTENT_TYPE",
            parameter != "CONTENT_LENGTH"
        else {
            throw ConfigurationError(
                field: "address",
                reason: "any client can set \(parameter) by a header field",
                remedy: "give a name that only the web server sets, such as GALLETA_PATH"
            )
        }
        guard !Self.isOtherwiseUsed(parameter) else {
            throw ConfigurationError(
                field: "address",
                reason: "\(parameter) holds something else than the address of a request",
                remedy: "give REQUEST_URI, or a name of your own that only the web server sets, such as GALLETA_PATH"
            )
        }
        self.parameter = parameter
        self.form = form
    }

    /// The names that have another meaning, those of files among them.
    private static let others: Set<ByteString> = [
        "AUTH_TYPE", "DOCUMENT_ROOT", "GATEWAY_INTERFACE", "HTTPS", "PATH_TRANSLATED", "QUERY_STRING", "REQUEST_ID",
        "REQUEST_METHOD", "REQUEST_SCHEME", "SCRIPT_FILENAME",
    ]

    private static func isOtherwiseUsed(_ name: ByteString) -> Bool {
        others.contains(name)
            || name.withUnsafeBytes { bytes in
                ["CONTENT_", "REMOTE_", "SERVER_"].contains { bytes.starts(with: $0.utf8) }
            }
    }

    /// REQUEST_URI, raw.
    public static let requestURI = try! RequestAddress("REQUEST_URI")
}
