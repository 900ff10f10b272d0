extension SessionCookie {
    /// The value of a `Set-Cookie` header that gives the browser this id.
    ///
    /// - Parameters:
    ///   - id: The id to carry.
    ///   - maxAge: How long the browser keeps the cookie, rounded up to whole seconds; nil for "until it closes".
    ///   - isSecure: Whether the request came by HTTPS, for the policy `.automatic`.
    public func setHeader(_ id: SessionID, maxAge: Duration?, isSecure: Bool) -> String {
        setHeader(value: id.encoded, maxAge: maxAge, isSecure: isSecure)
    }

    /// As ``setHeader(_:maxAge:isSecure:)``, for a cookie that carries something else: characters of base64url and dots.
    package func setHeader(value: String, maxAge: Duration?, isSecure: Bool) -> String {
        var header = name
        header += "="
        header += value
        if let maxAge {
            let (seconds, rest) = maxAge.components
            header += "; Max-Age="
            header += String(max(0, seconds + (rest > 0 ? 1 : 0)))
        }
        appendAttributes(to: &header, isSecure: isSecure)
        return header
    }

    /// The value of a `Set-Cookie` header that removes the cookie: the same attributes, or browsers keep the old one.
    public func deleteHeader(isSecure: Bool) -> String {
        var header = name
        // Expires for clients that never learned Max-Age.
        header += "=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        appendAttributes(to: &header, isSecure: isSecure)
        return header
    }

    private func appendAttributes(to header: inout String, isSecure: Bool) {
        header += "; Path="
        header += path
        if let domain {
            header += "; Domain="
            header += domain
        }
        header += "; HttpOnly; SameSite="
        header += sameSite.rawValue
        if secure == .always || (secure == .automatic && isSecure) {
            header += "; Secure"
        }
        if isPartitioned {
            header += "; Partitioned"
        }
    }
}
