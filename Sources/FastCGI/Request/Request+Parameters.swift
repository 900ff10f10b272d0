public import HTTPTypes

extension Request {
    /// The FastCGI parameters as the web server sent them: `request.fastCGI["REMOTE_USER"]`.
    public var fastCGI: FastCGIParameters { FastCGIParameters(context: inner) }

    /// The cookies that the client sent.
    public var cookies: Cookies { Cookies(context: inner) }

    /// The first value of a header.
    ///
    /// `Proxy` reads as absent: a program that took HTTP_PROXY from it would send its traffic where the client wants.
    public func header(_ name: HTTPField.Name) -> String? {
        var result: String?
        forEachHeaderValue(name) { value in
            if result == nil { result = String(decoding: value, as: UTF8.self) }
        }
        return result
    }

    /// Every value of a header, in the order the web server sent them.
    ///
    /// nginx sends a repeated header as repeated parameters, Apache, lighttpd and Caddy join the values with `, `.
    public func headers(_ name: HTTPField.Name) -> [String] {
        var result: [String] = []
        forEachHeaderValue(name) { result.append(String(decoding: $0, as: UTF8.self)) }
        return result
    }

    /// Calls `body` with the bytes of each Cookie header; nothing is copied. The bytes are valid during the call only.
    public func withCookieHeaders(_ body: (UnsafeRawBufferPointer) -> Void) {
        let name: StaticString = "HTTP_COOKIE"
        name.withUTF8Buffer { inner.parameters.forEachValue(of: UnsafeRawBufferPointer($0), body) }
    }

    /// Finds the parameters of a header: CGI's `HTTP_` with `-` as `_` (RFC 3875, section 4.1.18), and the two without.
    private func forEachHeaderValue(_ name: HTTPField.Name, _ body: (UnsafeRawBufferPointer) -> Void) {
        let canonical = name.canonicalName
        let prefix: StaticString
        switch canonical {
        case "proxy": return
        case "content-type", "content-length": prefix = ""
        default: prefix = "HTTP_"
        }
        withUnsafeTemporaryAllocation(byteCount: prefix.utf8CodeUnitCount + canonical.utf8.count, alignment: 1) { key in
            var count = 0
            prefix.withUTF8Buffer { bytes in
                for byte in bytes {
                    key[count] = byte
                    count += 1
                }
            }
            for byte in canonical.utf8 {
                switch byte {
                case UInt8(ascii: "-"): key[count] = UInt8(ascii: "_")
                case UInt8(ascii: "a")...UInt8(ascii: "z"): key[count] = byte - 0x20
                default: key[count] = byte
                }
                count += 1
            }
            inner.parameters.forEachValue(of: UnsafeRawBufferPointer(key), body)
        }
    }
}
