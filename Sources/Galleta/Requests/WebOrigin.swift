package import FastCGI
internal import GalletaPlatform
internal import HTTPTypes

/// Host and port of a site (RFC 6454). The scheme is not compared: where TLS ends at a machine in front, the web server does
/// not know it.
struct WebOrigin: Hashable {
    /// In lower case.
    let host: ByteString
    let port: Int

    /// Of `scheme://host[:port]`, and of a URL that begins so; nil for what is none, `null` among it.
    init?(_ text: String) {
        var rest = Substring(text)
        let defaultPort: Int
        if rest.lowercased().hasPrefix("https://") {
            (defaultPort, rest) = (443, rest.dropFirst(8))
        } else if rest.lowercased().hasPrefix("http://") {
            (defaultPort, rest) = (80, rest.dropFirst(7))
        } else {
            return nil
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        self.init(authority: authority, defaultPort: defaultPort)
    }

    /// Of `host[:port]`, as `Host` has it; an address of IPv6 stands in brackets.
    init?(authority: Substring, defaultPort: Int) {
        var host = authority
        var port = defaultPort
        if let colon = authority.lastIndex(of: ":"), authority[colon...].contains("]") == false {
            guard let number = UInt16(authority[authority.index(after: colon)...]) else { return nil }
            port = Int(number)
            host = authority[..<colon]
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "@") }) else {
            return nil
        }
        self.host = ByteString(host.lowercased())
        self.port = port
    }

    /// What a request's own site may be called: by the parameter REQUEST_ORIGIN if the web server sends it
    /// (`$scheme://$http_host`), else by the `Host` that the client sent and the web server's port.
    ///
    /// Without a port either scheme's own counts: where TLS ends at a machine in front, the web server knows but one.
    static func own(of request: Request) -> [WebOrigin] {
        let standard = [80, 443]
        if let text = request.fastCGI["REQUEST_ORIGIN"], !text.isEmpty {
            guard let own = WebOrigin(text) else { return [] }
            return standard.contains(own.port) ? standard.map { WebOrigin(host: own.host, port: $0) } : [own]
        }
        guard let host = request.fastCGI["HTTP_HOST"] else { return [] }
        let ports = [request.isSecure ? 443 : 80, request.fastCGI["SERVER_PORT"].flatMap { Int($0) }]
        return ports.compactMap { $0.flatMap { WebOrigin(authority: Substring(host), defaultPort: $0) } }
    }

    private init(host: ByteString, port: Int) {
        self.host = host
        self.port = port
    }

    /// Path and query of a URL.
    static func path(of url: String) -> String? {
        guard let scheme = url.range(of: "://") else { return nil }
        let rest = url[scheme.upperBound...].drop { $0 != "/" && $0 != "?" && $0 != "#" }.prefix { $0 != "#" }
        return rest.first == "/" ? String(rest) : "/" + rest
    }
}

extension Request {
    /// Whose page has sent a request, by the browser's word. No page of another site can make it say that it was this one's.
    package enum PageOrigin {
        case own
        case foreign
        /// It did not say.
        case unknown
    }

    /// By `Sec-Fetch-Site` (W3C Fetch Metadata), which alone counts where it is sent, else by `Origin` (RFC 6454, section 7).
    func pageOrigin(trusting trusted: [WebOrigin]) -> PageOrigin {
        let origins = headers(.origin)
        if !trusted.isEmpty, origins.count == 1, let origin = WebOrigin(origins[0]), trusted.contains(origin) {
            return .own
        }
        let sites = headers(fetchSite).map { ByteString($0) }
        if sites == ["none"] { return .unknown }
        guard sites.isEmpty else { return sites == ["same-origin"] ? .own : .foreign }
        guard !origins.isEmpty else { return .unknown }
        guard origins.count == 1, let origin = WebOrigin(origins[0]) else { return .foreign }
        return WebOrigin.own(of: self).contains(origin) ? .own : .foreign
    }

    /// Whose page has sent the request.
    package var pageOrigin: PageOrigin { pageOrigin(trusting: []) }
}

private let fetchSite = HTTPField.Name("Sec-Fetch-Site")!

extension String {
    /// The first place of an ASCII text.
    fileprivate func range(of text: StaticString) -> Range<Index>? {
        let sought = text.withUTF8Buffer { Array($0) }
        var index = utf8.startIndex
        while index < utf8.endIndex {
            if utf8[index...].starts(with: sought) { return index..<utf8.index(index, offsetBy: sought.count) }
            utf8.formIndex(after: &index)
        }
        return nil
    }
}
