package import GalletaPlatform

/// Whom a session belongs to.
package struct SessionOwner: Hashable, Sendable {
    package let user: ByteString
    /// Another one after each log-in of ours, which says more than the user's name: the credential by which they came, the
    /// session's own times.
    package let mark: Int

    package init(_ user: ByteString, mark: Int = 0) {
        (self.user, self.mark) = (user, mark)
    }
}
