/// Knows who may log in.
///
/// Threading: called from several workers at a time.
protocol CredentialVerifier: Sendable {
    /// Whether the password is the user's. An unknown user takes as long as a wrong password.
    func verify(user: String, password: String) -> Bool
}
