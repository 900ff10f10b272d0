internal import GalletaPlatform
internal import Passwords

/// Knows whether a user name and a password belong together, and who the users are.
///
/// Threading: called from any worker at the same time as from others.
protocol CredentialVerifier: Sendable {
    /// The user's credential if the password is this user's, else nil.
    ///
    /// Takes as long for a user who does not exist as for a wrong password, whoever the others are.
    func verify(user: ByteString, password: ByteString) -> Credential?

    /// The user's credential as it is now; nil for a user who does not exist.
    func credential(of user: ByteString) -> Credential?

    /// The longest password in bytes that any user can have; longer ones are never looked at.
    var maxPasswordBytes: Int { get }
}

extension PasswordFile: CredentialVerifier {}
