public import Sessions

extension MemoryProvider {
    /// The live sessions that belong to `user`, the one last seen first. Never throws.
    public func sessions(of user: String, current id: SessionID?) -> [UserSession] {
        []
    }

    /// Removes one of a user's sessions. Never throws.
    public func destroy(_ reference: SessionReference, of user: String) -> Bool {
        false
    }

    /// Removes a user's sessions but one. Never throws.
    public func destroySessions(of user: String, except id: SessionID?) -> Int {
        0
    }
}
