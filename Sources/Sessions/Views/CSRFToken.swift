/// Tokens against forged requests: a secret in the session, masked anew for each page.
///
/// A token is 32 random bytes and the secret XOR these, in base64url (86 characters). The text differs on every page,
/// so compression of the response tells nothing about it (the BREACH attack).
enum CSRFToken {
    static let secretCount = 32

    static func make(secret: [UInt8]) -> String {
        var token = Entropy.bytes(secretCount)
        for position in 0..<secretCount {
            token.append(token[position] ^ secret[position])
        }
        return Base64URL.string(token)
    }

    /// True when `token` unmasks to `secret`; takes the same time wherever they differ.
    static func verify(_ token: String, secret: [UInt8]) -> Bool {
        guard let bytes = Base64URL.bytes(token), bytes.count == 2 * secretCount, secret.count == secretCount else {
            return false
        }
        var difference: UInt8 = 0
        for position in 0..<secretCount {
            difference |= bytes[position] ^ bytes[secretCount + position] ^ secret[position]
        }
        return difference == 0
    }
}

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
