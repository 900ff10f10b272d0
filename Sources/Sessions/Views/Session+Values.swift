public import struct GalletaPlatform.ByteString

extension Session {
    /// The keys that have a value.
    public var keys: [ByteString] {
        get throws { try loaded { $0.view.keys } }
    }

    /// The value of `key` as `type`; nil when there is none or it is `null`, or when it has not the form of `type` any more (an event
    /// says so, and its bytes are kept: a deploy that changes a type turns no session into an error).
    public func get<T: Decodable>(_ key: ByteString, as type: T.Type = T.self) throws -> T? {
        guard let value = try value(key) else { return nil }
        do {
            return try value.decode(T.self, from: manager.valueSource)
        } catch {
            report(value, of: key, as: T.self)
            return nil
        }
    }

    /// The value of `key` as it is; nil when there is none.
    public func value(_ key: ByteString) throws -> SessionValue? {
        try loaded { $0.view[key] }
    }

    /// Sets `key`, at the commit. Without a session one begins then.
    ///
    /// - Throws: `SessionError`: `overLimit` when the session would hold too much, `notEncodable`, or
    ///   `responseStarted` when a session would have to begin after the commit. Nothing is changed then.
    public func set(_ key: ByteString, _ value: some Encodable) throws {
        let change = try SessionPatch.Change(setting: SessionValue(encoding: value), for: SessionKey(key))
        try loaded { try $0.change(change) }
    }

    /// Removes `key`, at the commit. A session of which nothing is left, not even a user, ends.
    public func delete(_ key: ByteString) throws {
        try loaded { state in
            guard state.view.contains(SessionKey(key)) || state.patch.contains(SessionKey(key)) else { return }
            try state.change(SessionPatch.Change(removing: SessionKey(key)))
        }
    }

    /// Changes the value of `key` atomically: no change of another request in between is lost.
    ///
    /// On a session that the store has this acts at once, by compare-and-set; `body` runs again when another request
    /// was faster, so it must do nothing but compute. On a session that is yet to begin, and on a key that this request
    /// has set already, the change joins the others until the commit.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - initial: The value to begin with when there is none, or `null`.
    ///   - replacingUndecodable: True to begin with `initial`, too, when the value that is there has not the form of `T`:
    ///     what it was is lost then.
    ///   - body: Computes the new value in place; its result is returned. What it throws leaves everything unchanged.
    /// - Throws: As `set`; `SessionError` of code `undecodable` when the value that is there has not the form of `T`, after a
    ///   deploy that changed it, say: it is kept, and an event tells of it; of code `contention` after 10,000 attempts.
    public func update<T: Codable, Result>(
        _ key: ByteString, default initial: @autoclosure () throws -> T, replacingUndecodable: Bool = false,
        _ body: (inout T) throws -> Result
    ) throws -> Result {
        try updateNow(key, initial, replacingUndecodable, body)
    }

    /// Updates with calls that block.
    @inline(__always)
    func updateNow<T: Codable, Result>(
        _ key: ByteString, _ initial: () throws -> T, _ replacingUndecodable: Bool, _ body: (inout T) throws -> Result
    ) throws -> Result {
        for _ in 0..<Self.updateLimit {
            let (change, seen, result) = try computed(key, initial, replacingUndecodable, body)
            if try withState({ try $0.update(change, of: SessionKey(key), seen: seen) }) { return result }
        }
        throw Self.contention(key)
    }

    static let updateLimit = 10_000

    static func contention(_ key: ByteString) -> SessionError {
        SessionError(.contention, "update of \"\(key)\" was overtaken 10,000 times; nothing was changed")
    }

    /// The change that an update makes of the value in the view, and the view's count of changes.
    @inline(__always)
    func computed<T: Codable, Result>(
        _ key: ByteString, _ initial: () throws -> T, _ replacingUndecodable: Bool, _ body: (inout T) throws -> Result
    ) throws -> (change: SessionPatch.Change, seen: Int, result: Result) {
        let sessionKey = SessionKey(key)
        let (found, seen) = try loaded { ($0.view[sessionKey], $0.changeCount) }
        // No optionals of T: their type would be looked up at each call.
        var value =
            if let found {
                try decode(found, of: key, replacing: replacingUndecodable, by: initial)
            } else {
                try initial()
            }
        let result = try body(&value)
        return (try SessionPatch.Change(setting: SessionValue(encoding: value), for: sessionKey), seen, result)
    }

    func loaded<Result>(_ body: (inout SessionState) throws -> Result) throws -> Result {
        try withState { state in
            try state.load()
            return try body(&state)
        }
    }

    /// `value` as `T`, or what to begin with when it has not that form and may be replaced.
    func decode<T: Decodable>(
        _ value: SessionValue, of key: ByteString, replacing: Bool, by initial: () throws -> T
    ) throws -> T {
        do {
            return try value.decode(T.self, from: manager.valueSource)
        } catch {
            report(value, of: key, as: T.self)
        }
        // Null is how an absent optional was set.
        guard replacing || value == .null else {
            throw SessionError(
                .undecodable,
                "the value of \"\(key)\" does not decode as \(T.self), and is kept; "
                    + "update it with replacingUndecodable: true, or set or delete it, if it may be lost")
        }
        return try initial()
    }

    func report(_ value: SessionValue, of key: ByteString, as type: Any.Type) {
        // Null is how an absent optional was set; no alarm.
        if value != .null { manager.emit(.undecodable(key: key, type: "\(type)")) }
    }
}

extension SessionState {
    /// Makes a change that was computed from the view of `seen`; false when it must be computed anew.
    mutating func update(_ change: SessionPatch.Change, of key: SessionKey, seen: Int) throws -> Bool {
        guard changeCount == seen else { return false }
        guard phase == .present, !patch.contains(key) else {
            try self.change(change)
            return true
        }
        var single = SessionPatch()
        single.replace(change)
        guard try store(single, expecting: version) else { return false }
        isWritten = true
        return true
    }
}

// MARK: Versions

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
