internal import FastCGI
internal import GalletaPlatform
internal import Passwords
internal import Sessions

/// The cookie that a browser gets at a log-in, and by which it is told from strangers at the next one.
///
/// It opens nothing: it only has the browser's wrong passwords counted apart from everybody else's (`PasswordThrottle`). For
/// each of the last four users it holds a token: 16 random bytes and their signature by the user's entry, so it needs
/// nothing that the server would have to keep, and is worth nothing once the user has a new password.
struct KnownBrowsers: Sendable {
    /// Name of the cookie.
    static let cookieName = "galleta-known-browser"
    private static let label: StaticString = "known browser"
    private static let nonceBytes = 16
    /// A nonce and a signature.
    private static let tokenBytes = 32
    private static let maxTokens = 4
    private static let maxAge = Duration.seconds(180 * 86_400)

    private let cookie: SessionCookie

    /// - Parameters:
    ///   - path: Where the log-in is: only there the cookie is sent.
    ///   - session: The session's cookie; its `SameSite`, `Secure` and `Partitioned` hold for this one.
    init(path: String, like session: SessionCookie) throws {
        // Of other paths the attribute could end early, or be another text than the browser's.
        let isPlain = path.utf8.allSatisfy { (0x21...0x7e).contains($0) && !";,".utf8.contains($0) }
        cookie = try SessionCookie(
            name: Self.cookieName, sameSite: session.sameSite, secure: session.secure, path: isPlain ? path : "/",
            isPartitioned: session.isPartitioned)
    }

    /// The tokens in a request's Cookie headers, the newest first.
    ///
    /// All of them: a neighbouring site may have set any number of cookies of this name in front of ours. The size of a
    /// request's head bounds them.
    static func tokens(of request: Request) -> [[UInt8]] {
        var tokens: [[UInt8]] = []
        request.withCookieHeaders { collect(from: $0, into: &tokens) }
        return tokens
    }

    /// The tokens in a Cookie header.
    static func tokens(inCookie header: String) -> [[UInt8]] {
        var tokens: [[UInt8]] = []
        Array(header.utf8).withUnsafeBytes { collect(from: $0, into: &tokens) }
        return tokens
    }

    private static func collect(from header: UnsafeRawBufferPointer, into tokens: inout [[UInt8]]) {
        for pair in header.split(separator: UInt8(ascii: ";")) {
            let pair = pair.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard pair.starts(with: cookieName.utf8), pair.dropFirst(cookieName.utf8.count).first == UInt8(ascii: "=")
            else { continue }
            for text in pair.dropFirst(cookieName.utf8.count + 1).split(separator: UInt8(ascii: ".")) {
                guard text.count == Base64URL.encodedCount(tokenBytes),
                    let token = Base64URL.bytes(String(decoding: text, as: UTF8.self))
                else { continue }
                tokens.append(token)
            }
        }
    }

    /// The token with which this user has logged in before, if there is one.
    static func token(for credential: Credential, among tokens: [[UInt8]]) -> [UInt8]? {
        let signer = credential.signer(label)
        return tokens.first { token in
            let nonce = Array(token.prefix(nonceBytes))
            return token.count == tokenBytes
                && ConstantTime.isEqual(signer.sign(nonce), token.dropFirst(nonceBytes))
        }
    }

    /// The value of the `Set-Cookie` header that makes the browser known for this user, too.
    ///
    /// - Parameters:
    ///   - credential: Of the user who has just logged in.
    ///   - tokens: What the browser had.
    ///   - isSecure: Whether the request came by HTTPS.
    func header(for credential: Credential, keeping tokens: [[UInt8]], isSecure: Bool) -> String {
        var generator = SystemRandomNumberGenerator()
        let nonce = (0..<Self.nonceBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let old = Self.token(for: credential, among: tokens)
        let all = [nonce + credential.sign(Self.label, nonce)] + tokens.filter { $0 != old }
        let value = all.prefix(Self.maxTokens).map(Base64URL.string).joined(separator: ".")
        return cookie.setHeader(value: value, maxAge: Self.maxAge, isSecure: isSecure)
    }
}
