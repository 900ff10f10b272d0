/// The one user of a server without a password file; the password is random and new at each start.
struct DemoUser: CredentialVerifier {
    let name = "demo"
    let password: String
    private let hash: PasswordHash

    init() {
        // Without the letters and digits that are read for each other.
        let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789")
        password = String((0..<12).map { _ in alphabet.randomElement()! })
        hash = PasswordHash(hashing: password)
    }

    func verify(user: String, password: String) -> Bool {
        hash.matches(password) && user == name
    }
}
