extension Session {
    /// Leaves a value for the next page that asks for it, at the commit: "Your order was sent."
    ///
    /// Flash values are apart from the others: no key of `set` reaches them. Without a session one begins.
    ///
    /// - Throws: As ``set(_:_:)``.
    public func setFlash(_ key: String, _ value: some Encodable) throws {
        let change = try SessionPatch.Change(setting: SessionValue(encoding: value), for: .flash(key))
        try loaded { try $0.change(change) }
    }

    /// Takes the value that a page before left under `key`: of all requests that ask at once one gets it.
    ///
    /// Acts at once, and stands even if the handler throws afterwards. A session of which nothing is left ends.
    ///
    /// - Returns: The value; nil when there is none (any more), or none of the form of `type`, which is an event.
    public func popFlash<T: Decodable>(_ key: String, as type: T.Type = T.self) throws -> T? {
        guard let value = try loaded({ try $0.pop(.flash(key)) }) else { return nil }
        do {
            return try value.decode(T.self)
        } catch {
            report(value, of: key, as: T.self)
            return nil
        }
    }
}

extension SessionKey {
    static func flash(_ key: String) -> SessionKey {
        SessionKey("flash." + key, isReserved: true)
    }
}

extension SessionState {
    /// Removes a value, in the store at once, and gives it to this caller only.
    fileprivate mutating func pop(_ key: SessionKey) throws -> SessionValue? {
        while phase != .lost, let value = view[key] {
            let removal = SessionPatch.Change(removing: key)
            guard phase == .present, !patch.contains(key) else {
                // Set by this very request: nobody else has seen it.
                try change(removal)
                return value
            }
            var single = SessionPatch()
            single.replace(removal)
            guard try store(single, expecting: version) else { continue }
            isWritten = true
            return phase == .lost ? nil : value
        }
        return nil
    }
}
