public import struct GalletaPlatform.ByteString

extension Session {
    /// Leaves a value for the next page that asks for it, at the commit: "Your order was sent."
    ///
    /// Flash values are apart from the others: no key of `set` reaches them. Without a session one begins.
    ///
    /// - Throws: As ``set(_:_:)``.
    public func setFlash(_ key: ByteString, _ value: some Encodable) throws {
        let change = try SessionPatch.Change(setting: SessionValue(encoding: value), for: .flash(key))
        try loaded { try $0.change(change) }
    }

    /// Takes the value that a page before left under `key`: of all requests that ask at once one gets it.
    ///
    /// Acts at once, and stands even if the handler throws afterwards. A session of which nothing is left ends. A request for
    /// the head of a page alone (HEAD) gets the value and leaves it: nobody has seen the page yet.
    ///
    /// - Returns: The value; nil when there is none (any more), or none of the form of `type`, which is an event, and its
    ///   bytes are kept.
    public func popFlash<T: Decodable>(_ key: ByteString, as type: T.Type = T.self) throws -> T? {
        let sessionKey = SessionKey.flash(key)
        while let (value, seen) = try loaded({ $0.flash(sessionKey) }) {
            let decoded: T
            do {
                decoded = try value.decode(T.self, from: manager.valueSource)
            } catch {
                report(value, of: key, as: T.self)
                return nil
            }
            switch try withState({ try $0.take(sessionKey, seen: seen, leaving: isForHead) }) {
            case .taken: return decoded
            case .overtaken: continue
            case .lost: return nil
            }
        }
        return nil
    }
}

extension SessionKey {
    static func flash(_ key: ByteString) -> SessionKey {
        SessionKey(ByteString(bytes: Array("flash.".utf8) + key.bytes), isReserved: true)
    }
}

extension SessionState {
    fileprivate enum Taking {
        case taken
        /// The view has changed meanwhile: look again.
        case overtaken
        case lost
    }

    /// The value that can be taken, and the view in which it was seen.
    fileprivate func flash(_ key: SessionKey) -> (value: SessionValue, seen: Int)? {
        guard phase != .lost, let value = view[key] else { return nil }
        return (value, changeCount)
    }

    /// Removes the value that was seen, in the store at once, so that one caller only has it.
    fileprivate mutating func take(_ key: SessionKey, seen: Int, leaving: Bool) throws -> Taking {
        guard changeCount == seen else { return .overtaken }
        let removal = SessionPatch.Change(removing: key)
        guard phase == .present, !patch.contains(key) else {
            // Set by this very request: nobody else has seen it.
            try change(removal)
            return .taken
        }
        if leaving { return .taken }
        var single = SessionPatch()
        single.replace(removal)
        guard try store(single, expecting: version) else { return .overtaken }
        isWritten = true
        return phase == .lost ? .lost : .taken
    }
}
