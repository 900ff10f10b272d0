public import FastCGI
internal import GalletaPlatform
internal import HTTPTypes

extension Response {
    /// A redirect to the page that the client came from, if that is one of this site, by its `Referer`.
    ///
    /// ```swift
    /// app.post("/like/:id") { request, session in … ; return try .redirect(back: request, or: "/") }
    /// ```
    ///
    /// - Parameters:
    ///   - request: The request that names the page.
    ///   - target: Where to otherwise: an absolute path of this site.
    /// - Throws: `ResponseError` if `target` is none.
    public static func redirect(back request: Request, or target: String) throws -> Response {
        if let page = request.header(.referer), let origin = WebOrigin(page),
            WebOrigin.own(of: request).contains(origin), let path = WebOrigin.path(of: page),
            let response = try? Response.redirect(to: path)
        {
            return response
        }
        return try .redirect(to: target)
    }

    /// The response as a file to be kept under a name (RFC 6266), and not shown.
    ///
    /// - Parameter name: Any text; of a path the last part counts, and control characters are left out. Clients get it in
    ///   UTF-8, and old ones with `_` for what is not ASCII.
    public func asDownload(named name: String) -> Response {
        var response = self
        response.headers[.contentDisposition] = Self.disposition(name)
        return response
    }

    private static func disposition(_ name: String) -> String {
        var name = String(name.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? "")
        name.unicodeScalars.removeAll { $0.properties.generalCategory == .control }
        if name.isEmpty { name = "download" }
        var plain = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "\"", "%": plain += "_"
            case let other where other.isASCII: plain.unicodeScalars.append(other)
            default: plain += "_"
            }
        }
        guard ByteString(plain) != ByteString(name) else { return "attachment; filename=\"\(name)\"" }
        // RFC 8187, section 3.2.1: `attr-char` stays.
        let encoded = PercentCoding.encode(name, keeping: "!#$&+-.^_`|~")
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(encoded)"
    }
}
