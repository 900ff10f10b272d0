public import struct GalletaPlatform.ByteString

extension Session {
    /// The version of the values as this request has seen them: it changes with every change of another request.
    ///
    /// Put it into a form, and ``set(_:_:ifVersion:)`` refuses a save that would overwrite what came in between. Zero
    /// for a session that is yet to begin.
    public var version: UInt64 {
        get throws { try loaded { $0.phase == .present ? $0.version : 0 } }
    }

    /// Sets `key` at once if nothing in the session has changed since `version`.
    ///
    /// - Returns: False when the session is at another version, or gone; nothing is changed then, and the session shows
    ///   what there is now.
    /// - Throws: As ``set(_:_:)``.
    public func set(_ key: ByteString, _ value: some Encodable, ifVersion version: UInt64) throws -> Bool {
        let change = try SessionPatch.Change(setting: SessionValue(encoding: value), for: SessionKey(key))
        return try loaded { state in
            guard state.phase == .present else { return false }
            var single = SessionPatch()
            single.replace(change)
            guard try state.store(single, expecting: version) else { return false }
            state.isWritten = true
            guard state.phase == .present else { return false }
            if state.patch.contains(SessionKey(key)) {
                // What the request has set under the key before must not come back at the commit.
                state.patch.drop(SessionKey(key))
                state.view = try state.view.applying(single, limits: .none)
            }
            return true
        }
    }
}
