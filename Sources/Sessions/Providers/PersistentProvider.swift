/// A provider that holds its sessions in memory and saves them from time to time.
public protocol PersistentProvider: SessionProvider {
    /// Saves all sessions now.
    ///
    /// - Returns: What was saved, a line for an operator.
    func save() throws -> String
}
