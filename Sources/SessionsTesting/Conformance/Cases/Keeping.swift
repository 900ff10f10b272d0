internal import Sessions

extension SessionProviderConformance {
    private static func collect(_ store: ConformanceStore, limit: Int) throws -> SessionCollection {
        guard let provider = store.provider as? any CollectingProvider else {
            throw ConformanceFailure("the provider collects nothing")
        }
        return try provider.collect(limit: limit)
    }

    /// Collects until nothing is left; how many went.
    private static func drain(_ store: ConformanceStore, limit: Int) throws -> Int {
        var removed = 0
        for _ in 0..<1_000_000 {
            let slice = try collect(store, limit: limit)
            try store.expect(slice.removed <= limit, "\(slice.removed) were removed, the limit was \(limit)")
            removed += slice.removed
            if !slice.hasMore { return removed }
        }
        throw ConformanceFailure("there is always more to collect")
    }

    static let collecting = [
        ConformanceCase("a collection of nothing removes nothing", needs: .collection) { store in
            try store.expectEqual(try drain(store, limit: 10), 0, "in an empty store")
            let id = try store.create()
            try store.expectEqual(try drain(store, limit: 10), 0, "beside a live session")
            try store.expect(try store.isThere(id), "a live session is gone")
        },
        ConformanceCase("a collection takes the expired only, and no more than its limit", needs: .collection) {
            store in
            let short = try (0..<50).map { _ in try store.create(idle: 5) }
            let long = try (0..<50).map { _ in try store.create(idle: 50) }
            try store.advance(6)
            try store.expectEqual(try drain(store, limit: 7), 50, "how many went")
            try store.expectCount(50)
            for id in short { try store.expectGone(id) }
            for id in long { try store.expect(try store.isThere(id), "a live session is gone") }
        },
        ConformanceCase("a fresh session does not shield the expired ones behind it", needs: .collection) { store in
            try store.create(idle: 1_000)
            for _ in 0..<20 { try store.create(idle: 5) }
            try store.create(idle: 1_000)
            try store.advance(6)
            try store.expectEqual(try drain(store, limit: 1_000), 20, "how many went")
        },
        ConformanceCase("a session that was touched is spared", needs: .collection) { store in
            let ids = try (0..<20).map { _ in try store.create(idle: 10) }
            try store.advance(8)
            for id in ids.prefix(10) { _ = try store.provider.touch(id) }
            try store.advance(4)
            try store.expectEqual(try drain(store, limit: 3), 10, "how many went")
            for id in ids.prefix(10) { try store.expect(try store.isThere(id), "a touched session is gone") }
        },
        ConformanceCase("repeated collections drain a hundred thousand", needs: .collection, .exactClock) { store in
            let kept = try store.create(idle: 1_000)
            let draft = try store.draft(idle: 5)
            for _ in 0..<100_000 { _ = try store.provider.create(store.freshID(), draft) }
            try store.advance(6)
            try store.expectEqual(try drain(store, limit: 1_000), 100_000, "how many went")
            try store.expectCount(1)
            try store.expect(try store.isThere(kept), "the live session is gone")
        },
        ConformanceCase("collections beside traffic lose no live session", needs: .collection) { store in
            let living = try (0..<40).map { _ in try store.create(["n": 0], idle: 1_000) }
            for _ in 0..<200 { try store.create(idle: 2) }
            try store.advance(3)
            _ = try store.inParallel(5) { thread in
                for round in 0..<40 {
                    switch thread {
                    case 0: _ = try collect(store, limit: 10)
                    case 1: _ = try store.provider.create(store.freshID(), try store.draft(idle: 2))
                    default: try store.set("\(thread)", .int(Int64(round)), in: living[round])
                    }
                }
            }
            for id in living {
                for thread in 2..<5 {
                    try store.expect(try store.value(id, "\(thread)") != nil, "a value of a live session is gone")
                }
            }
        },
    ]

    /// Creates sessions up to the cap.
    private static func fill(
        _ store: ConformanceStore, but missing: Int = 0, _ make: (Int) throws -> SessionID
    ) throws -> [SessionID] {
        try (0..<(ConformanceCase.cap - missing)).map { number in
            let id = try make(number)
            try store.advance(0.01)
            return id
        }
    }

    private static func expectFull(_ store: ConformanceStore, _ draft: SessionDraft) throws {
        let id = store.freshID()
        guard case .full = try store.provider.create(id, draft) else {
            throw ConformanceFailure("a session was created in a store where none may make room for it")
        }
        try store.expectGone(id, "a refused session")
    }

    private static func visit(_ store: ConformanceStore, _ ids: some Sequence<SessionID>) throws {
        for id in ids {
            _ = try store.provider.touch(id)
            try store.advance(0.01)
        }
    }

    static let caps = [
        ConformanceCase("at the cap the expired make room first", needs: .cap) { store in
            let ids = try fill(store) { try store.create(idle: $0 == 3 ? 5 : 1_000) }
            try store.advance(6)
            try store.create()
            for (number, id) in ids.enumerated() where number != 3 {
                try store.expect(try store.isThere(id), "a live session made room, an expired one was there")
            }
        },
        ConformanceCase("then sessions whose id never came back, the oldest first", needs: .cap) { store in
            let ids = try fill(store) { _ in try store.create() }
            try visit(store, ids.enumerated().filter { $0.offset != 2 && $0.offset != 5 }.map(\.element))
            let new = try store.create()
            try store.expect(try store.provider.read(new) != nil, "the new session is not there")
            try store.expectEqual(
                try ids.map { try store.provider.read($0) == nil }.enumerated().filter(\.element).map(\.offset), [2],
                "who made room")
        },
        ConformanceCase("then anonymous sessions, the least recently seen first", needs: .cap) { store in
            let ids = try fill(store) { _ in try store.create() }
            try visit(store, ids)
            try visit(store, ids.prefix(1))
            let new = try store.create()
            try visit(store, [new])
            let gone = try ids.enumerated().filter { try store.provider.read($0.element) == nil }.map(\.offset)
            try store.expectEqual(gone, [1], "who made room")
        },
        ConformanceCase(
            "a user's session never makes room for an anonymous one, which is refused then", needs: .cap
        ) { store in
            let ids = try fill(store) { _ in try store.create(user: "ada") }
            try expectFull(store, try store.draft())
            for id in ids { try store.expect(try store.isThere(id), "a user's session is gone") }
            try store.set("n", 1, in: ids[0])
        },
        ConformanceCase(
            "for a log-in the user who holds most loses the session least recently seen", needs: .cap
        ) { store in
            // The oldest sessions are of one who holds few: what counts is who holds most.
            let few = try (0..<3).map { _ in try store.create(user: "bob") }
            try store.advance(1)
            let many = try fill(store, but: 3) { _ in try store.create(user: "ada") }
            try visit(store, many.prefix(2))
            let new = try store.create(user: "eve")
            try store.expect(try store.isThere(new), "the new session is not there")
            for id in few { try store.expect(try store.isThere(id), "a session of another user is gone") }
            try store.expectEqual(
                try many.indices.filter { try !store.isThere(many[$0]) }, [2], "who made room")
        },
        ConformanceCase("one user who logs in again and again takes no place from others", needs: .cap) { store in
            let others = try (0..<4).map { try store.create(user: "user \($0)") }
            for _ in 0..<50 { try store.create(user: "ada") }
            for id in others { try store.expect(try store.isThere(id), "another user's session is gone") }
            try store.expectCount(ConformanceCase.cap)
        },
        ConformanceCase("nobody loses the only session for a log-in, which is refused then", needs: .cap) { store in
            let ids = try fill(store) { try store.create(user: "user \($0)") }
            try expectFull(store, try store.draft(user: "eve"))
            try expectFull(store, try store.draft(user: "user 0"))
            for id in ids { try store.expect(try store.isThere(id), "a user's only session is gone") }
        },
        ConformanceCase("a log-in finds room among the anonymous", needs: .cap) { store in
            let users = try fill(store, but: 1) { _ in try store.create(user: "ada") }
            let anonymous = try store.create()
            let new = try store.create(user: "bob")
            try store.expect(try store.isThere(new), "the new session is not there")
            try store.expectGone(anonymous, "the anonymous session")
            for id in users { try store.expect(try store.isThere(id), "a user's session is gone") }
        },
        ConformanceCase("a flood of new sessions leaves those of users and visitors", needs: .cap) { store in
            let user = try store.create(user: "ada")
            let visitor = try store.create()
            try visit(store, [visitor])
            let draft = try store.draft()
            for _ in 0..<2_000 { _ = try store.provider.create(store.freshID(), draft) }
            try store.expect(try store.isThere(user), "the user's session is gone")
            try store.expect(try store.isThere(visitor), "the visitor's session is gone")
            let count = try store.provider.statistics().sessions ?? 0
            try store.expect(count <= ConformanceCase.cap, "there are more sessions than the cap")
        },
    ]

    static let counting = [
        ConformanceCase("sessions are counted, old ids are not", needs: .counting) { store in
            let ids = try (0..<5).map { _ in try store.create() }
            _ = try store.rotate(ids[0], grace: 100)
            _ = try store.rotate(ids[1], grace: 0)
            _ = try store.provider.destroy(ids[2])
            try store.expectCount(4)
        },
        ConformanceCase("sessions with a user are counted apart, whatever becomes of them", needs: .userCounting) {
            store in
            func expectUsers(_ wanted: Int, _ what: String) throws {
                try store.expectEqual(try store.provider.statistics().users, wanted, "users' sessions \(what)")
            }
            let anonymous = try (0..<3).map { _ in try store.create() }
            try expectUsers(0, "at first")
            let ada = try (0..<2).map { _ in try store.create(user: "ada") }
            try store.logIn("bob", anonymous[0])
            try expectUsers(3, "after log-ins")
            try store.logIn("ada", anonymous[0])
            _ = try store.rotate(ada[0], grace: 0)
            try store.set("n", 1, in: ada[1])
            try expectUsers(3, "after changes")
            try store.logIn(nil, anonymous[0])
            _ = try store.provider.destroy(ada[1])
            _ = try store.provider.destroy(anonymous[1])
            try expectUsers(1, "after log-outs")
        },
    ]

    static let sharedStores = [
        ConformanceCase("two providers on one store see each other's changes", needs: .anotherProvider) { store in
            let other = try store.fixture.another!()
            defer { other.close() }
            let id = try store.create(["n": 1], user: "ada")
            try store.expectEqual(try other.read(id)?.values["n"], 1, "the value there")
            _ = try other.commit(try store.patch(["n": 2]), to: id, expecting: nil)
            try store.expectEqual(try store.value(id, "n"), 2, "the value here")
            if let users = other as? any UserIndexedProvider {
                let list = try users.sessions(of: "ada", current: id, limit: 9).sessions
                try store.expectEqual(list.map(\.isCurrent), [true], "the list there")
            }
            let stale = try store.record(id).version
            _ = try other.touch(id)
            try store.set("n", 3, in: id)
            guard case .conflict = try other.commit(try store.patch(["n": 4]), to: id, expecting: stale) else {
                throw ConformanceFailure("no conflict between two providers")
            }
            let keepsGrace = store.provider.traits.keepsRotationGrace
            let new = try store.rotate(id, grace: keepsGrace ? 10 : 0)
            try store.expectEqual(try other.read(id)?.successor, keepsGrace ? new : nil, "the successor there")
            try store.expect(try other.destroy(new), "not destroyed there")
            try store.expectGone(new)
        },
        ConformanceCase("a store that is opened again has the live sessions and not the expired", needs: .reopening) {
            store in
            let long = try store.create(["n": 1], user: "ada", idle: 500)
            let short = try store.create(idle: 5)
            let destroyed = try store.create(idle: 500)
            let rotated = try store.create(idle: 500)
            let new = try store.rotate(rotated, grace: 0)
            _ = try store.provider.destroy(destroyed)
            try store.set("n", 2, in: long)
            let before = try store.record(long)
            store.provider.close()
            try store.advance(6)
            let reopened = try store.fixture.reopen!()
            defer { reopened.close() }
            guard let after = try reopened.read(long) else { throw ConformanceFailure("a live session is gone") }
            try store.expectEqual(after.values, before.values, "the values")
            try store.expectEqual(after.version, before.version, "the version")
            try store.expectAbout(after.age, 6, "age")
            if let users = reopened as? any UserIndexedProvider {
                let list = try users.sessions(of: "ada", current: long, limit: 9).sessions
                try store.expectEqual(list.map(\.isCurrent), [true], "the list")
            }
            try store.expect(try reopened.read(new) != nil, "the rotated session is gone")
            for id in [short, destroyed, rotated] {
                try store.expect(try reopened.read(id) == nil, "what had ended is back")
            }
        },
        ConformanceCase("the store holds no id as it stands", needs: .storedBytes) { store in
            let id = try store.create(user: "ada")
            let new = try store.rotate(id, grace: 100)
            let bytes = try store.fixture.storedBytes!()
            for id in [id, new] {
                let hexadecimal = id.bytes.flatMap { byte in
                    [byte >> 4, byte & 15].map { Array("0123456789abcdef".utf8)[Int($0)] }
                }
                for form in [id.bytes, Array(id.encoded.utf8), hexadecimal] {
                    let isThere = bytes.indices.contains { bytes[$0...].starts(with: form) }
                    try store.expect(!isThere, "the store holds an id")
                }
            }
        },
        ConformanceCase("a store that is down is an error in time, and comes back", needs: .outage) { store in
            let id = try store.create(["k": "v"])
            let outage = store.fixture.outage!
            try outage.stop()
            let clock = ContinuousClock()
            let start = clock.now
            let patch = try store.patch(["k": "late"])
            let calls: [Result<Void, any Error>] = [
                Result { _ = try store.provider.read(id) },
                Result { _ = try store.provider.touch(id) },
                Result { _ = try store.provider.commit(patch, to: id, expecting: nil) },
                Result { _ = try store.provider.destroy(id) },
            ]
            let waited = clock.now - start
            try outage.resume()
            for call in calls {
                guard case .failure = call else {
                    throw ConformanceFailure("a call of a store that is down is no error")
                }
            }
            // 250 ms each by the contract, and a slow machine.
            try store.expect(waited < .seconds(4), "the errors took \(waited)")
            try store.expectEqual(try store.value(id), "v", "the value afterwards")
        },
    ]
}
