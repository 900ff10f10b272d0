internal import GalletaPlatform
internal import RESP
public import Sessions

extension RedisProvider {
    /// How often an index is read anew where sessions rotate meanwhile.
    private static let roundLimit = 16
    /// Sessions that one script looks at, so that it is short for all others.
    private static let slice = 500

    /// The live sessions of a user. Two round trips, or three for more sessions than are read at once (128).
    ///
    /// Cost: in proportion to the user's sessions, as only a session itself tells when it was last seen.
    public func sessions(of user: ByteString, current id: SessionID?, limit: Int) throws -> UserSessionList {
        let user = RedisUser(user)
        let call = store.call()
        let live = try liveSessions(of: user, call)
        let own = try id.flatMap { try digest(of: $0, among: live.map(\.member), call) }
        var listed = Array(live.prefix(limit))
        if limit > 0, let own, !listed.contains(where: { $0.member.digest == own }),
            let entry = live.first(where: { $0.member.digest == own })
        {
            if listed.count == limit { listed.removeLast() }
            listed.append(entry)
        }
        let unread = listed.filter { $0.record == nil }
        var read: [RedisMember: SessionRecord] = [:]
        for (entry, reply) in zip(unread, try run(unread.map { command(RedisScripts.lookUp, $0.member) }, call)) {
            read[entry.member] = try record(reply, of: user)
        }
        var list = UserSessionList(total: live.count)
        for entry in listed {
            // Ended, or gone on under another id, since its time was read: the list is that of a moment ago.
            guard let record = entry.record ?? read[entry.member] else {
                list.total -= 1
                continue
            }
            list.sessions.append(
                UserSession(
                    reference: SessionReference(rawValue: Base64URL.string(entry.member.reference)), record: record,
                    isCurrent: entry.member.digest == own))
        }
        list.total = max(list.total, list.sessions.count)
        return list
    }

    /// The record of a look-up's reply, without what only the id opens; nil if it is not the user's any more.
    private func record(_ reply: RESPValue, of user: RedisUser) throws -> SessionRecord? {
        let (found, now) = try store.found(reply, fields: store.fieldsWithoutID)
        guard case .session(let metadata, let values) = found, values.user.map(RedisUser.init) == user else {
            return nil
        }
        return metadata.record(values, at: now, successor: nil, lease: nil)
    }

    /// Removes one of a user's sessions. Two round trips.
    public func destroy(_ reference: SessionReference, of user: ByteString) throws -> Bool {
        guard let bytes = Base64URL.bytes(reference.rawValue), bytes.count == 16 else { return false }
        let user = RedisUser(user)
        let call = store.call()
        for _ in 0..<Self.roundLimit {
            guard let member = try members(of: user, call).first(where: { $0.reference == bytes }) else { return false }
            if try end([member], of: user, sparing: nil, call) > 0 { return true }
            // The first time may have done it.
            if call.isRepeated, try !members(of: user, call).contains(where: { $0.reference == bytes }) { return true }
            // It has ended, or goes on under another id: then the index has it again.
        }
        return false
    }

    /// Removes a user's sessions but some: each that was bound when the call began, whatever its id becomes meanwhile.
    ///
    /// Two round trips where there are no more than are kept, else one for each 500 more.
    public func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int {
        let user = RedisUser(user)
        let call = store.call()
        var members = try members(of: user, call)
        var spared: RedisMember?
        if let id {
            guard members.count > kept else { return 0 }
            let digest = try digest(of: id, among: members, call)
            // One that rotates at this moment is there under its next id.
            if !members.contains(where: { $0.digest == digest }) { members = try self.members(of: user, call) }
            spared = members.first { $0.digest == digest }
            guard spared != nil else { return 0 }
        }
        guard members.count - (spared == nil ? 0 : 1) > kept else { return 0 }
        if kept > 0 {
            members = try liveSessions(of: user, reading: false, call).map(\.member)
                .filter { $0.reference != spared?.reference }
            members.removeFirst(min(kept, members.count))
        } else {
            members.removeAll { $0.reference == spared?.reference }
        }
        var ended = 0
        var references = Set(members.map(\.reference))
        for _ in 0..<Self.roundLimit where !members.isEmpty {
            ended += try end(members, of: user, sparing: spared, call)
            let current = try self.members(of: user, call)
            if let last = spared {
                // Under the id that it has now; gone, nothing more ends for its sake.
                spared = current.first { $0.reference == last.reference }
                guard spared != nil else { break }
            }
            // Those that rotated meanwhile are there under their new ids; by then a log-in has a reference of its own.
            members = current.filter { references.contains($0.reference) }
            references.formIntersection(members.map(\.reference))
        }
        return ended
    }

    // MARK: Index

    private func run(_ commands: [RedisCommand], _ call: RedisStoreCall) throws -> [RESPValue] {
        var replies: [RESPValue] = []
        for start in stride(from: 0, to: commands.count, by: Self.slice) {
            replies += try call.run(Array(commands[start..<min(start + Self.slice, commands.count)]))
        }
        return replies
    }

    private func command(_ script: RedisScript, _ member: RedisMember) -> RedisCommand {
        RedisCommand(script, keys: [.bytes(store.keys.session(member.digest))], isRepeatable: true)
    }

    private func members(of user: RedisUser, _ call: RedisStoreCall) throws -> [RedisMember] {
        let command = RedisCommand("ZRANGE", [.bytes(store.keys.index(user)), 0, -1], isRepeatable: true)
        return try call.run([command]).first?.array?.compactMap { $0.bytes.flatMap(RedisMember.init) } ?? []
    }

    /// - Parameter spared: Must be live for the others to end: of two log-ins at once each would end the other.
    /// - Returns: How many live ones ended; none where the spared one is not there under that id.
    private func end(
        _ members: [RedisMember], of user: RedisUser, sparing spared: RedisMember?, _ call: RedisStoreCall
    ) throws -> Int {
        var ended = 0
        for slice in slices(members) {
            var keys = keys(slice, user)
            keys.insert(spared.map { store.keys.session($0.digest) } ?? keys[0], at: 1)
            var arguments = arguments(slice, user)
            arguments.insert(.bytes(spared?.bytes ?? []), at: 1)
            guard let count = try call.run(RedisScripts.end, keys: keys, arguments, reaching: replicas).integer,
                (-1...Int64(slice.count)).contains(count)
            else { throw RedisStore.nonsense }
            guard count >= 0 else { return ended }
            ended += Int(count)
        }
        return ended
    }

    private func slices(_ members: [RedisMember]) -> [ArraySlice<RedisMember>] {
        stride(from: 0, to: members.count, by: Self.slice).map { members[$0..<min($0 + Self.slice, members.count)] }
    }

    private func keys(_ members: ArraySlice<RedisMember>, _ user: RedisUser) -> [[UInt8]] {
        [store.keys.index(user)] + members.map { store.keys.session($0.digest) }
    }

    private func arguments(_ members: ArraySlice<RedisMember>, _ user: RedisUser) -> [RedisArgument] {
        [.bytes(user.digest)] + members.map { .bytes($0.bytes) }
    }

    /// A session in a user's index, and its record if that was read.
    private struct Entry {
        let member: RedisMember
        let seen: Int64
        let created: Int64
        var record: SessionRecord?
    }

    /// Sessions that are read whole to learn when they were last seen: fewer round trips, more bytes.
    private static let readAtOnce = 128

    /// The sessions in the user's index that are live and the user's, the one last seen first; others are taken off it.
    ///
    /// - Parameter reading: Whether the records are wanted, too, where they are few.
    private func liveSessions(
        of user: RedisUser, reading: Bool = true, _ call: RedisStoreCall
    ) throws -> [Entry] {
        var live: [[UInt8]: Entry] = [:]
        var asked: Set<RedisMember> = []
        var dead: [RedisMember] = []
        for _ in 0..<Self.roundLimit {
            let members = try members(of: user, call)
            // What has rotated since it was found is there under its new id.
            let current = Set(members)
            live = live.filter { current.contains($0.value.member) }
            let new = members.filter { !asked.contains($0) }
            guard !new.isEmpty else { break }
            asked.formUnion(new)
            let reads = reading && new.count <= Self.readAtOnce
            for (member, reply) in zip(
                new, try run(new.map { command(reads ? RedisScripts.read : RedisScripts.peek, $0) }, call))
            {
                guard let entry = try entry(reply, member, of: user, isRead: reads) else {
                    dead.append(member)
                    continue
                }
                live[member.reference] = entry
            }
            // Nothing was missing, so nothing has moved.
            if dead.isEmpty { break }
        }
        for slice in slices(dead) {
            _ = try call.run(RedisScripts.sweep, keys: keys(slice, user), arguments(slice, user))
        }
        return live.values.sorted { ($0.seen, $0.created) > ($1.seen, $1.created) }
    }

    /// What the reply to `peek`, or to `read`, says of a member; nil: its session is gone, or not the user's.
    private func entry(_ reply: RESPValue, _ member: RedisMember, of user: RedisUser, isRead: Bool) throws -> Entry? {
        guard let parts = reply.array, parts.count >= 2, let now = parts[0].time, let head = parts[1].array,
            head.count == 2
        else { throw RedisStore.nonsense }
        guard head[1].bytes == member.reference + user.digest, let bytes = head[0].bytes,
            let metadata = try RedisMetadata(bytes), metadata.isLive(at: now)
        else { return nil }
        var entry = Entry(member: member, seen: metadata.seen, created: metadata.created)
        if isRead {
            guard parts.count == 3 else { throw RedisStore.nonsense }
            entry.record = try record(.array([parts[0], parts[2]]), of: user)
        }
        return entry
    }

    /// The digest under which the session of an id is; that of its successor for an id in its grace, which is asked for.
    private func digest(
        of id: SessionID, among members: [RedisMember], _ call: RedisStoreCall
    ) throws -> [UInt8]? {
        let digest = id.digest
        if members.contains(where: { $0.digest == digest }) { return digest }
        guard case .found(let record) = try call.carryOut(RedisLookUp([id], store))[0] else { return nil }
        return record.successor?.digest
    }
}
