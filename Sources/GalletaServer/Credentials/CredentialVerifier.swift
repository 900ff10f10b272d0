/// Knows whether a user name and a password belong together.
///
/// The answer must take as long for a user who does not exist as for a wrong password.
/// Threading: called from any worker at the same time as from others.
protocol CredentialVerifier: Sendable {
    /// The password is this user's.
    func verify(user: String, password: String) -> Bool
}
