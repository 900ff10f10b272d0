/// The one user of a server that was started without a password file; the password is new at each start.
struct DemoUser: CredentialVerifier {
    /// The user's name.
    let name = "demo"
    /// 16 characters, 80 random bits; none that look alike.
    let password: String

    init() {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789")
        var generator = SystemRandomNumberGenerator()
        password = String((0..<16).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }

    func verify(user: String, password: String) -> Bool {
        let isUser = ConstantTime.isEqual(user.utf8, name.utf8)
        let isPassword = ConstantTime.isEqual(password.utf8, self.password.utf8)
        return isUser && isPassword
    }
}
