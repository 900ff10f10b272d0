/// The cookie that carries the session id: its name and attributes (RFC 6265bis).
///
/// The defaults are the safe ones: `HttpOnly`, `SameSite=Lax`, `Path=/`, no `Domain`, `Secure` on secure requests.
public struct SessionCookie: Sendable {
    /// Which cross-site requests carry the cookie.
    public enum SameSite: String, Sendable {
        /// Top-level navigation only: the default, and a first line against CSRF.
        case lax = "Lax"
        /// No cross-site request at all, links from elsewhere included.
        case strict = "Strict"
        /// Every request; browsers demand `Secure` with it.
        case none = "None"
    }

    /// When the cookie is marked `Secure`.
    public enum SecurePolicy: Sendable {
        /// When the web server says that the request came by HTTPS.
        case automatic
        /// Always: right behind a proxy that ends TLS without telling.
        case always
        /// Never: for plain HTTP in a closed network.
        case never
    }

    /// The name, a token of RFC 9110 section 5.6.2.
    public let name: String
    /// The attribute `SameSite`.
    public let sameSite: SameSite
    /// When to add the attribute `Secure`.
    public let secure: SecurePolicy
    /// The attribute `Path`.
    public let path: String
    /// The attribute `Domain`; nil (the default) keeps the cookie to the host that set it.
    public let domain: String?
    /// True adds `Partitioned` (CHIPS): a cookie jar for each top-level site that embeds ours.
    public let isPartitioned: Bool

    let nameBytes: [UInt8]

    /// Checks and makes the description of a cookie.
    ///
    /// - Throws: `ConfigurationError` that names the field: a name that is no token, a path
    ///   or domain that could end the attribute, `SameSite=None` or `Partitioned` without `Secure`, or a
    ///   `__Host-` or `__Secure-` name whose conditions (RFC 6265bis section 4.1.3) do not hold.
    public init(
        name: String,
        sameSite: SameSite = .lax,
        secure: SecurePolicy = .automatic,
        path: String = "/",
        domain: String? = nil,
        isPartitioned: Bool = false
    ) throws {
        self.name = name
        self.sameSite = sameSite
        self.secure = secure
        self.path = path
        self.domain = domain
        self.isPartitioned = isPartitioned
        nameBytes = Array(name.utf8)
        try validate()
    }

    private func validate() throws {
        guard !name.isEmpty, name.utf8.count <= 64, name.utf8.allSatisfy(Self.isTokenByte) else {
            throw ConfigurationError(
                field: "cookieName",
                reason: "\"\(name)\" is not a cookie name",
                remedy: "use 1 to 64 of the characters A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~")
        }
        guard path.utf8.first == 0x2F, path.utf8.allSatisfy(Self.isAttributeByte) else {
            throw ConfigurationError(
                field: "cookiePath",
                reason: "a cookie path starts with \"/\" and holds no ",
                remedy: ", or control character")
        }
        if let domain, domain.isEmpty || !domain.utf8.allSatisfy(Self.isDomainByte) {
            throw ConfigurationError(
                field: "cookieDomain",
                reason: "\"\(domain)\" is not a host name",
                remedy: "give one, such as example.org")
        }
        if sameSite == .none, secure != .always {
            throw ConfigurationError(
                field: "sameSite",
                reason: "browsers refuse SameSite=None without Secure",
                remedy: "let `secure` be always")
        }
        if isPartitioned, secure != .always {
            throw ConfigurationError(
                field: "isPartitioned",
                reason: "Partitioned demands Secure",
                remedy: "let `secure` be always")
        }
        // Browsers compare the prefixes without regard to case.
        let lowered = name.lowercased()
        if lowered.hasPrefix("__secure-"), secure != .always {
            throw ConfigurationError(
                field: "secure",
                reason: "a __Secure- cookie demands Secure",
                remedy: "let `secure` be always")
        }
        if lowered.hasPrefix("__host-"), secure != .always || path != "/" || domain != nil {
            throw ConfigurationError(
                field: "cookieName",
                reason: "a __Host- cookie demands that `secure` is always, the path \"/\", and no domain",
                remedy: "let `secure` be always, or give another name")
        }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    private static func isAttributeByte(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != 0x3B && byte != 0x2C
    }

    private static func isDomainByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E: true
        default: false
        }
    }
}
