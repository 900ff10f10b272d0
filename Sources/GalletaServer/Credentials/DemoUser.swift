internal import GalletaPlatform
internal import Passwords

/// The one user of a server that was started for a demonstration; the password is new at each start.
struct DemoUser: CredentialVerifier {
    /// The user's name.
    let name = "demo"
    /// 16 characters, 80 random bits; none that look alike.
    let password: String
    private let credential: Credential

    let maxPasswordBytes = 72

    init() {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789")
        var generator = SystemRandomNumberGenerator()
        password = String((0..<16).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
        credential = Credential(user: ByteString(name), entry: password.utf8)
    }

    func verify(user: ByteString, password: ByteString) -> Credential? {
        let isUser = ConstantTime.isEqual(user.bytes, name.utf8)
        let isPassword = ConstantTime.isEqual(password.bytes, self.password.utf8)
        return isUser && isPassword ? credential : nil
    }

    func credential(of user: ByteString) -> Credential? {
        user == credential.user ? credential : nil
    }
}
