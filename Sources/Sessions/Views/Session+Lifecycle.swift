public import struct GalletaPlatform.ByteString

extension Session {
    /// True when the request came without a session that the store knows.
    public var isNew: Bool {
        get throws { try loaded { $0.isNew } }
    }

    /// The user whom the session is bound to; nil for an anonymous one.
    public var user: ByteString? {
        get throws { try loaded { $0.view.user } }
    }

    /// Since the session began; zero for one that is yet to begin.
    public var age: Duration {
        get throws { try loaded { .nanoseconds($0.ageNanoseconds) } }
    }

    /// Since the visitor was last noted (see `SessionConfiguration.touchInterval`), before this request.
    public var idle: Duration {
        get throws { try loaded { .nanoseconds($0.idleNanoseconds) } }
    }

    /// Until the session ends if nobody comes.
    public var remaining: Duration {
        get throws { try loaded { .nanoseconds(min($0.idleRemaining, $0.absoluteRemaining)) } }
    }

    /// Binds the session to `user`, whom the handler has just authenticated.
    ///
    /// The id changes at once and the old one is dead (session fixation); the CSRF secret is new. The visitor's values
    /// stay, unless the session belonged to another user: then it is destroyed and an empty one begins. The binding
    /// itself is made at the commit, so a handler that throws afterwards logs nobody in.
    ///
    /// The user's sessions beyond `SessionConfiguration.maximumSessionsPerUser` end then, the least recently
    /// seen first.
    ///
    /// - Parameters:
    ///   - user: Who it is, by a name that stays the same: a user id, an address. Its bytes count: two names that look
    ///     alike are two users.
    ///   - client: The browser, for a list of the user's sessions, for example the `User-Agent`; its first 256 bytes
    ///     are kept.
    ///   - stamp: What the user's credential is known by, for `SessionConfiguration.stampCheck`, for example a keyed digest
    ///     of the password's hash: the session ends once that has changed.
    /// - Throws: `SessionError` of code `responseStarted` after the commit.
    public func logIn(user: ByteString, client: String? = nil, stamp: [UInt8]? = nil) throws {
        try withState { try $0.logIn(user: user, client: client, stamp: stamp) }
    }

    /// Binds the session to the user of this name, as ``logIn(user:client:stamp:)`` of its bytes.
    public func logIn(user: String, client: String? = nil, stamp: [UInt8]? = nil) throws {
        try logIn(user: ByteString(user), client: client, stamp: stamp)
    }

    /// Ends the session at once, in the store and in the browser: log-out. Does nothing where there is none.
    ///
    /// What is set afterwards belongs to a new session; but not where another request ended this one first: then
    /// nothing is kept, and no cookie goes out. Works after the commit, too, but then without telling the browser.
    public func destroy() throws {
        try withState { try $0.destroy() }
    }

    /// Gives the session a new id at once; the old one works for `SessionConfiguration.rotationGrace`, for the sake of
    /// requests on their way, and leads them to the new one. Does nothing where there is no session, nor when another
    /// request of the visitor has just rotated it: all get the one successor. At a change of privilege use `logIn`.
    ///
    /// - Throws: `SessionError` of code `responseStarted` after the commit.
    public func rotate() throws {
        try withState { try $0.rotate(grace: $0.manager.configuration.rotationGrace) }
    }

    /// Brings the changes to the store. The application calls it once, when the handler has returned and before the
    /// first byte of the header; further calls change nothing. Where the provider has a journal, it returns when log-ins,
    /// log-outs and rotations are on the disk.
    ///
    /// - Returns: What the response must carry; the same at each further call.
    /// - Throws: `SessionStoreError` when the store fails, `SessionError` of code `overLimit` when the record has
    ///   grown by others' changes meanwhile. Nothing is committed then; `discard()` still gives the cookie of a
    ///   rotation. What could not be put on the disk is a `SessionStoreError`, too: of the reason `unsaved` where it stands
    ///   all the same, of another for a log-in, which does not.
    public func commit() throws -> SessionCommit {
        let commit = try commitUnsettled()
        try settle()
        return commit
    }

    /// As ``commit()``, but that the journal is still to be waited for: by ``isSettled``, ``settleAsync()``.
    package func commitUnsettled() throws -> SessionCommit {
        let touches = touches
        return try closing { try $0.commit(touching: touches) } ?? .untouched
    }

    /// Drops the changes that wait for the commit, for a handler that threw; the session can be used further.
    ///
    /// What acted at once stands: `update`, `save`, `popFlash`, `destroy`, `rotate`, and of `logIn` the new id. The
    /// visitor is in the old session then, under an id whose cookie goes out with the answer. What is changed afterwards
    /// counts.
    public func rollBack() {
        ifUsed { $0.rollBack() }
    }

    /// Brings what waits for the commit to the store, if the session was used at all.
    package func saveIfUsed() throws {
        try ifUsed { _ = try $0.save() }
    }

    /// Drops the changes and ends the use of the session, where no answer of a handler follows. Destroy, rotate and update
    /// stand.
    ///
    /// - Returns: What the error's response must carry; after a commit the same as it gave.
    public func discard() -> SessionCommit {
        closing { $0.discard() } ?? .untouched
    }
}
