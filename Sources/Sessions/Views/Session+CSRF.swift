extension Session {
    /// A token for a form on the page being made, 86 characters of base64url; another text each time.
    ///
    /// The first use gives the session a secret, so it begins a session where there is none.
    public func csrfToken() throws -> String {
        CSRFToken.make(secret: try withState { try $0.csrfSecret() })
    }

    /// True when `token` came from a page of this session; takes the same time wherever it differs.
    ///
    /// - Parameter token: What the form sent; nil, as anything malformed, is false.
    public func verifyCSRF(_ token: String?) throws -> Bool {
        guard let token, case .bytes(let secret)? = try loaded({ $0.view[.csrfSecret] }) else { return false }
        return CSRFToken.verify(token, secret: secret)
    }
}
