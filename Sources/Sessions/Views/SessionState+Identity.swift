internal import GalletaPlatform

extension SessionState {
    /// Ends the session in the store at once.
    mutating func destroy() throws {
        do {
            try load()
        } catch let error as SessionStoreError where error.reason == .unreadable {
            return try destroyUnread()
        }
        guard phase == .present else {
            clear()
            // Another log-out may have ended it a moment ago, which this one is answered for, too.
            if !candidates.isEmpty { try noteJournal() }
            return
        }
        let handle = handle
        let removed = try ask { try $0.destroy(handle) }
        // A browser with two live cookies of our name would be in the other session at its next request.
        for other in others { _ = try ask { try $0.destroy(SessionHandle(other)) } }
        others = []
        isWritten = true
        if removed {
            reset()
            cookie = .delete
            manager.emit(.destroyed)
        } else {
            // Someone else ended it first: any cookie, a deleting one too, could replace that of a fresh log-in.
            clear()
            lose()
        }
        // In both cases: that other one's end may not be on the disk yet.
        try noteJournal()
    }

    /// Ends what cannot be read: to whoever can, the visitor is to be nobody, too.
    private mutating func destroyUnread() throws {
        for position in 0..<candidates.count {
            let candidate = SessionHandle(candidates[position])
            _ = try ask { try $0.destroy(candidate) }
        }
        isWritten = true
        reset()
        cookie = .delete
        manager.emit(.destroyed)
    }

    /// Gives the session a new id in the store at once; a routine rotation when `grace` is positive.
    mutating func rotate(grace: Duration) throws {
        try load()
        guard phase == .present else { return }
        try checkHeaderIsOpen("rotating the session's id")
        // Of a page's ten requests that rotate all must end up with one id. Not so at a log-in: others may know it.
        if isLatecomer, grace > .zero { return }
        let fresh = manager.idFormat.draw()
        let handle = handle
        switch try ask({ try $0.rotate(handle, to: fresh, grace: grace) }) {
        case .rotated:
            self.id = fresh
            isLatecomer = false
            cookie = .set
            isWritten = true
            manager.emit(.rotated)
            try noteJournal()
        case .successor(let successor):
            follow(successor)
            if grace == .zero { try rotate(grace: grace) }
        case .gone:
            lose()
        case .taken:
            throw SessionStoreError(.unavailable, "the provider refused a fresh random id as taken")
        }
    }

    /// Binds the session to `user` under a new id.
    mutating func logIn(user: ByteString, client: String?, stamp: [UInt8]?) throws {
        try load()
        try checkHeaderIsOpen("logging in")
        // Before anything has changed: the visitor keeps what there is.
        if let journal = manager.journal, journal.isJournalFailing {
            throw SessionStoreError(.unavailable, "log-ins cannot be put on the disk now")
        }
        if phase == .present {
            if let current = view.user, current != user {
                // What the one user left must not pass to the other.
                try destroy()
            } else {
                try rotate(grace: .zero)
            }
        }
        if phase == .lost {
            // The visitor has just proved who they are: they get a session, whatever became of the old one.
            reset()
        }
        try change(SessionPatch.Change(setting: .name(user), for: .user))
        if let client {
            try change(SessionPatch.Change(setting: .string(client.prefix(bytes: 256)), for: .client))
        } else {
            try change(SessionPatch.Change(removing: .client))
        }
        if let stamp {
            try change(SessionPatch.Change(setting: .bytes(stamp), for: .stamp))
        } else {
            try change(SessionPatch.Change(removing: .stamp))
        }
        bindsUser = true
        try change(SessionPatch.Change(setting: .bytes(Entropy.bytes(CSRFToken.secretCount)), for: .csrfSecret))
    }

    /// The secret of the CSRF tokens; makes one, at once in the store, when there is none.
    mutating func csrfSecret() throws -> [UInt8] {
        try load()
        while true {
            if case .bytes(let secret)? = view[.csrfSecret], secret.count == CSRFToken.secretCount { return secret }
            let secret = Entropy.bytes(CSRFToken.secretCount)
            let change = try SessionPatch.Change(setting: .bytes(secret), for: .csrfSecret)
            guard phase == .present else {
                try self.change(change)
                return secret
            }
            // Compare-and-set: of two first pages in parallel both must hold the same secret.
            var single = SessionPatch()
            single.replace(change)
            guard try store(single, expecting: version) else { continue }
            isWritten = true
            return secret
        }
    }

    /// Nothing in the view, nothing pending.
    mutating func clear() {
        view = SessionValues()
        patch.removeAll()
        changeCount += 1
    }

    /// Back to no session, with nothing pending.
    mutating func reset() {
        clear()
        isLatecomer = false
        lease = nil
        lifetime = nil
        bindsUser = false
        begin(with: manager.configuration.lifetime)
    }
}

extension String {
    /// At most `count` bytes of the text, cut between characters.
    func prefix(bytes count: Int) -> String {
        guard utf8.count > count else { return self }
        var end = utf8.index(startIndex, offsetBy: count)
        while end.samePosition(in: self) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
