internal import FastCGI
internal import GalletaPlatform
internal import Logging
internal import Passwords

/// Checks one try to log in: against the limits first, which cost nothing, then the password.
///
/// Threading: usable from any thread.
struct LogInCheck: Sendable {
    /// What came of a try. None but ``right`` tells anything about the name or the password.
    enum Outcome: Sendable {
        /// The password is the user's.
        case right(Credential)
        /// It is not.
        case wrong
        /// Over so many bytes, or with a NUL, it is no user's; it was not looked at.
        case unfit(maxBytes: Int)
        /// Too many wrong ones; it was not looked at.
        case throttled(Duration, isKnownBrowser: Bool)
        /// Too many others log in at the moment; it was not looked at.
        case busy(Duration)
    }

    let credentials: any CredentialVerifier
    let passwords: Passwords
    let limiter: PasswordThrottle
    let logger: Logger
    private let throttle = LogThrottle()
    let counters = LogInCounters()

    init(credentials: any CredentialVerifier, passwords: Passwords, limiter: PasswordThrottle, logger: Logger) {
        self.credentials = credentials
        self.passwords = passwords
        self.limiter = limiter
        self.logger = logger
    }

    /// - Parameters:
    ///   - user: The name that was given.
    ///   - password: The password that was given.
    ///   - address: The client's, as the web server says.
    ///   - tokens: Of the browser's cookie (``KnownBrowsers``).
    func check(user: ByteString, password: ByteString, address: String, tokens: [[UInt8]]) -> Outcome {
        let outcome = outcome(of: user, password, address, tokens)
        counters.count(outcome)
        return outcome
    }

    private func outcome(
        of user: ByteString, _ password: ByteString, _ address: String, _ tokens: [[UInt8]]
    ) -> Outcome {
        // No user has such a name, so nobody learns anything by the haste.
        guard user.count <= Credential.maxUserBytes else { return .wrong }
        let longest = credentials.maxPasswordBytes
        guard password.count <= longest, !password.withUnsafeBytes({ $0.contains(0) }) else {
            return .unfit(maxBytes: longest)
        }
        // The same work for a user who does not exist; what a stranger's own key signs counts for nothing.
        let known = credentials.credential(of: user)
        let token = KnownBrowsers.token(for: known ?? Credential(user: user, entry: []), among: tokens)
        let browser = known == nil ? nil : token
        let guess = PasswordThrottle.Guess(user: user, address: address, browser: browser)
        if let wait = limiter.take(guess) {
            if let suppressed = throttle.pass("throttled") {
                // Others may be passwords that were typed into the wrong field.
                let name = known == nil ? "(nobody)" : LogText.clean(user.string)
                logger.notice(
                    "log-ins are refused (429) after too many wrong passwords",
                    metadata: ["user": "\(name)", "suppressed": "\(suppressed)"])
            }
            return .throttled(wait, isKnownBrowser: browser != nil)
        }
        do {
            let credential = try passwords.run(isKnown: browser != nil) { [credentials] in
                credentials.verify(user: user, password: password)
            }
            guard let credential else { return .wrong }
            limiter.takeBack(guess)
            return .right(credential)
        } catch {
            limiter.takeBack(guess)
            return .busy(error.retryAfter ?? .seconds(5))
        }
    }
}
