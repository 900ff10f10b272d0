internal import FastCGI
internal import GalletaPlatform
internal import Glibc

/// A cookie that a client holds (RFC 6265, section 5.3).
public struct TestCookie: Sendable, Equatable {
    /// The name.
    public var name: String
    /// The value.
    public var value: String
    /// The requests that carry it: those of this path and below.
    public var path = "/"
    /// The host that set it, or with ``isForSubdomains`` the domain that it named.
    public var domain: String
    /// Hosts below the domain get it, too.
    public var isForSubdomains = false
    /// Only requests by HTTPS carry it.
    public var isSecure = false
    /// When it ends, on the clock of the test; nil at the end of the browser's run.
    public var end: Duration?

    /// - Parameters:
    ///   - name: The name.
    ///   - value: The value.
    ///   - domain: The host that set it.
    public init(_ name: String, _ value: String, domain: String) {
        self.name = name
        self.value = value
        self.domain = domain
    }

    /// Where a cookie was set, and when.
    struct Origin {
        var host: String
        var path: String
        var isSecure: Bool
        var now: Duration
    }

    /// Why a browser does not take a cookie.
    struct Refusal: Error {
        let reason: String
    }

    /// Reads a `Set-Cookie` field as browsers do (RFC 6265, section 5.2).
    init(setCookie field: String, from origin: Origin) throws(Refusal) {
        let parts = field.split(separator: ";", omittingEmptySubsequences: false)
        guard let equals = parts[0].firstIndex(of: "=") else { throw Refusal(reason: "\"\(parts[0])\" has no \"=\"") }
        name = String(parts[0][..<equals].trimmed)
        value = String(parts[0][parts[0].index(after: equals)...].trimmed)
        domain = origin.host
        path = Self.defaultPath(origin.path)
        var hasPath = false
        var hasDomain = false
        var isForOtherSites = false
        var expires: Duration?
        var maxAge: Duration?
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let attribute = pair.count > 1 ? String(pair[1].trimmed) : ""
            switch pair[0].trimmed.lowercased() {
            case "path":
                hasPath = attribute.first == "/"
                path = hasPath ? attribute : Self.defaultPath(origin.path)
            case "domain" where !attribute.isEmpty:
                domain = String(attribute.lowercased().drop { $0 == "." })
                isForSubdomains = true
                hasDomain = true
            case "samesite": isForOtherSites = attribute.lowercased() == "none"
            case "secure": isSecure = true
            case "max-age": if let seconds = Int64(attribute) { maxAge = .seconds(seconds) }
            case "expires": expires = Self.time(until: attribute)
            default: break
            }
        }
        end = (maxAge ?? expires).map { origin.now + $0 }
        guard Self.matches(host: origin.host, domain, isForSubdomains) else {
            throw Refusal(reason: "\(name): the domain \(domain) is not that of the client's `host`, \(origin.host)")
        }
        // The draft that follows RFC 6265 (6265bis, sections 4.1.3 and 5.7), as browsers have it.
        let prefix = name.lowercased()
        if !isSecure {
            if isForOtherSites { throw Refusal(reason: "\(name): SameSite=None without Secure") }
            if prefix.hasPrefix("__secure-") || prefix.hasPrefix("__host-") {
                throw Refusal(reason: "\(name): a cookie of such a name is not without Secure")
            }
        }
        if prefix.hasPrefix("__host-"), hasDomain || !hasPath || path != "/" {
            throw Refusal(reason: "\(name): a cookie of such a name has Path=/, and no Domain")
        }
        guard !isSecure || origin.isSecure else {
            throw Refusal(reason: "\(name): Secure, but the request came by HTTP; let the client's `isSecure` be true")
        }
    }

    /// The directory of the request's path (section 5.1.4).
    private static func defaultPath(_ path: String) -> String {
        guard path.first == "/", let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// How long it is until a date as RFC 9110, section 5.6.7, has it; nil for any other.
    private static func time(until date: String) -> Duration? {
        let words = date.split { " ,-:".contains($0) }
        let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        guard words.count > 6, let month = months.firstIndex(of: words[2].lowercased()), let day = Int32(words[1]),
            let year = Int32(words[3]), let hour = Int32(words[4]), let minute = Int32(words[5]),
            let second = Int32(words[6])
        else { return nil }
        var parts = tm()
        parts.tm_year = year - 1900
        parts.tm_mon = Int32(month)
        (parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec) = (day, hour, minute, second)
        return .seconds(timegm(&parts) - Glibc.time(nil))
    }

    private static func matches(host: String, _ domain: String, _ isForSubdomains: Bool) -> Bool {
        host == domain || isForSubdomains && host.hasSuffix("." + domain)
    }

    /// Whether a request carries it.
    func goes(with request: Origin) -> Bool {
        guard !isSecure || request.isSecure, end.map({ $0 > request.now }) != false,
            Self.matches(host: request.host, domain, isForSubdomains)
        else { return false }
        return ByteString(path) == ByteString(request.path)
            || request.path.hasPrefix(path)
                && (path.last == "/" || request.path.dropFirst(path.count).first == "/")
    }

    /// A cookie of the same name, domain and path replaces it.
    func isReplaced(by other: TestCookie) -> Bool {
        ByteString(name) == ByteString(other.name) && ByteString(path) == ByteString(other.path)
            && domain == other.domain && isForSubdomains == other.isForSubdomains
    }
}

extension StringProtocol {
    fileprivate var trimmed: SubSequence {
        var rest = self[...]
        while rest.first == " " || rest.first == "\t" { rest = rest.dropFirst() }
        while rest.last == " " || rest.last == "\t" { rest = rest.dropLast() }
        return rest
    }
}
