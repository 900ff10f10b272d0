internal import Sessions

extension SessionProviderConformance {
    private static func ids(_ store: ConformanceStore, _ user: ByteString) throws -> [SessionValue?] {
        try store.list(user).map { $0.record.values["n"] }
    }

    static let users = userCases.map { $0.needing(.users) }

    private static let userCases = [
        ConformanceCase("a user's sessions are listed, and no others", needs: .listedValues) { store in
            try store.create(["n": 1], user: "ada")
            try store.create(["n": 2], user: "ada")
            try store.create(["n": 3], user: "bob")
            try store.create(["n": 4])
            let list = try store.list("ada")
            try store.expectEqual(Set(list.map { $0.record.values["n"] }), [1, 2], "the sessions")
            try store.expectEqual(list.count { $0.isCurrent }, 0, "how many are current")
            try store.expectEqual(try store.list("eve").count, 0, "a stranger's")
        },
        ConformanceCase("the list begins with the session last seen", needs: .listedValues) { store in
            let first = try store.create(["n": 1], user: "ada")
            try store.advance(2)
            try store.create(["n": 2], user: "ada")
            try store.advance(2)
            try store.create(["n": 3], user: "ada")
            try store.expectEqual(try ids(store, "ada"), [3, 2, 1], "at first")
            try store.advance(2)
            _ = try store.provider.touch(first)
            try store.expectEqual(try ids(store, "ada"), [1, 3, 2], "after a visit")
        },
        ConformanceCase(
            "a list has no more than its limit, the sessions last seen, and tells how many there are",
            needs: .listedValues
        ) {
            store in
            for number in 1...6 {
                try store.create(["n": .int(Int64(number))], user: "ada")
                try store.advance(1)
            }
            try store.create(user: "bob")
            for limit in [1, 4, 6, 100] {
                let list = try store.users.sessions(of: "ada", current: nil, limit: limit)
                let wanted = (1...6).reversed().prefix(limit).map { SessionValue.int(Int64($0)) }
                try store.expectEqual(
                    list.sessions.map { $0.record.values["n"] }, wanted, "the sessions with a limit of \(limit)")
                try store.expectEqual(list.total, 6, "the number of all with a limit of \(limit)")
            }
            let none = try store.users.sessions(of: "ada", current: nil, limit: 0)
            try store.expectEqual(none.sessions.count, 0, "the sessions with a limit of 0")
            try store.expectEqual(none.total, 6, "the number of all with a limit of 0")
        },
        ConformanceCase("expired sessions take no place in a list with a limit", needs: .listedValues) { store in
            for number in 1...3 { try store.create(["n": .int(Int64(number))], user: "ada") }
            try store.advance(1)
            for _ in 0..<4 { try store.create(user: "ada", idle: 2) }
            try store.advance(3)
            let list = try store.users.sessions(of: "ada", current: nil, limit: 3)
            try store.expectEqual(Set(list.sessions.map { $0.record.values["n"] }), [1, 2, 3], "the sessions")
            let all = try store.users.sessions(of: "ada", current: nil, limit: 100)
            try store.expectEqual(all.total, 3, "the number of all, where all are listed")
        },
        ConformanceCase(
            "the session that asks is in a list with a limit, however long ago it was seen", needs: .listedValues
        ) { store in
            let own = try store.create(["n": 1], user: "ada")
            for number in 2...5 {
                try store.advance(1)
                try store.create(["n": .int(Int64(number))], user: "ada")
            }
            let list = try store.users.sessions(of: "ada", current: own, limit: 3)
            try store.expectEqual(list.sessions.map { $0.record.values["n"] }, [5, 4, 1], "the sessions")
            try store.expectEqual(list.sessions.map(\.isCurrent), [false, false, true], "which asks")
            try store.expectEqual(list.total, 5, "the number of all")
            let alone = try store.users.sessions(of: "ada", current: own, limit: 1)
            try store.expectEqual(alone.sessions.map(\.isCurrent), [true], "with a limit of 1")
        },
        ConformanceCase("the list marks the session that asks, by its old id as well", needs: .listedValues, .grace) {
            store in
            let id = try store.create(["n": 1], user: "ada")
            try store.create(["n": 2], user: "ada")
            let current = { (id: SessionID) in
                try store.list("ada", current: id).filter(\.isCurrent).map { $0.record.values["n"] }
            }
            try store.expectEqual(try current(id), [1], "by its id")
            let new = try store.rotate(id, grace: 10)
            try store.expectEqual(try current(new), [1], "by its new id")
            try store.expectEqual(try current(id), [1], "by its old id")
            try store.expectEqual(try current(store.freshID()), [], "by an unknown id")
        },
        ConformanceCase("a listed session keeps its reference over changes and rotations", needs: .listedValues) {
            store in
            let id = try store.create(["n": 1], user: "ada")
            let reference = try store.list("ada").map(\.reference)
            try store.set("n", 2, in: id)
            _ = try store.provider.touch(id)
            _ = try store.rotate(id, grace: 0)
            let list = try store.list("ada")
            try store.expectEqual(list.map(\.reference), reference, "the reference")
            try store.expectEqual(list.map { $0.record.values["n"] }, [2], "the value")
        },
        ConformanceCase("references differ, and none is the text of an id") { store in
            let ids = try (0..<20).map { _ in try store.create(user: "ada") }
            let references = try store.list("ada").map(\.reference)
            try store.expectEqual(Set(references).count, 20, "the number of references")
            for reference in references {
                try store.expect(
                    !ids.contains { reference.rawValue.contains($0.encoded) }, "a reference gives an id away")
            }
        },
        ConformanceCase("a log-in puts a session into the list, a log-out takes it off", needs: .listedValues) {
            store in
            let id = try store.create(["n": 1])
            try store.logIn("ada", id)
            try store.expectEqual(try ids(store, "ada"), [1], "after the log-in")
            try store.logIn(nil, id)
            try store.expectEqual(try ids(store, "ada"), [], "after the log-out")
            try store.expect(try store.isThere(id), "the session is gone")
        },
        ConformanceCase("a change of user moves the session to the other list", needs: .listedValues) { store in
            let id = try store.create(["n": 1], user: "ada")
            try store.logIn("bob", id)
            try store.expectEqual(try ids(store, "ada"), [], "the first user's")
            try store.expectEqual(try ids(store, "bob"), [1], "the second user's")
        },
        ConformanceCase("destroyed, emptied and expired sessions are not in the list", needs: .listedValues) { store in
            try store.create(["n": 1], user: "ada", idle: 5)
            let destroyed = try store.create(["n": 2], user: "ada")
            let emptied = try store.create([:], user: "ada")
            try store.create(["n": 4], user: "ada")
            _ = try store.provider.destroy(destroyed)
            var patch = SessionPatch()
            patch.remove(.user)
            _ = try store.provider.commit(patch, to: emptied, expecting: nil)
            try store.advance(6)
            try store.expectEqual(try ids(store, "ada"), [4], "the list")
        },
        ConformanceCase("users of any name are kept apart", needs: .listedValues) { store in
            let names: [ByteString] = [
                "ada", "Ada", "ada ", "", "a\0b", "ä", "user:1", "a/../b",
                ByteString(String(repeating: "x", count: 500)),
            ]
            for (number, name) in names.enumerated() { try store.create(["n": .int(Int64(number))], user: name) }
            for (number, name) in names.enumerated() {
                try store.expectEqual(try ids(store, name), [.int(Int64(number))], "the sessions of \"\(name)\"")
            }
        },
        ConformanceCase("a user may have a thousand sessions") { store in
            for _ in 0..<1_000 { try store.create(user: "ada", idle: 10_000, absolute: 10_000) }
            try store.expectEqual(try store.list("ada").count, 1_000, "the list")
            try store.expectEqual(try store.endAll("ada"), 1_000, "the ended ones")
            try store.expectCount(0)
        },
    ]

    static let revocation = revocationCases.map { $0.needing(.users) }

    private static let revocationCases = [
        ConformanceCase("one session is ended by its reference, once, and only for its user") { store in
            let one = try store.create(["n": 1], user: "ada")
            let two = try store.create(["n": 2], user: "ada")
            let list = try store.list("ada", current: one)
            guard let reference = list.first(where: { !$0.isCurrent })?.reference else {
                throw ConformanceFailure("the other session is not listed")
            }
            try store.expect(try !store.users.destroy(reference, of: "bob"), "ended for another user")
            try store.expect(try store.users.destroy(reference, of: "ada"), "not ended")
            try store.expect(try !store.users.destroy(reference, of: "ada"), "ended twice")
            try store.expectGone(two)
            try store.expect(try store.isThere(one), "the other one is gone")
        },
        ConformanceCase("a reference of nobody's making ends nothing") { store in
            let id = try store.create(user: "ada")
            for text in ["", "x", "0", "../..", "\0", String(repeating: "9", count: 1_000), id.encoded] {
                let reference = SessionReference(rawValue: text)
                try store.expect(try !store.users.destroy(reference, of: "ada"), "\"\(text)\" ended something")
            }
            try store.expect(try store.isThere(id), "the session is gone")
        },
        ConformanceCase("all sessions of a user end but the one that is spared") { store in
            let ids = try (0..<5).map { _ in try store.create(user: "ada") }
            let other = try store.create(user: "bob")
            let anonymous = try store.create()
            try store.expectEqual(try store.endAll("ada", except: ids[2]), 4, "how many ended")
            try store.expectEqual(
                try ids.map { try store.isThere($0) }, [false, false, true, false, false], "who is left")
            try store.expect(try store.isThere(other), "another user's session is gone")
            try store.expect(try store.isThere(anonymous), "an anonymous session is gone")
            try store.expectEqual(try store.endAll("ada"), 1, "the last one")
            try store.expectEqual(try store.endAll("ada"), 0, "none is left")
        },
        ConformanceCase("the session that is spared may be named by its old id", needs: .grace) { store in
            let id = try store.create(user: "ada")
            try store.create(user: "ada")
            let new = try store.rotate(id, grace: 10)
            try store.expectEqual(try store.endAll("ada", except: id), 1, "how many ended")
            try store.expect(try store.isThere(new), "the spared one is gone")
        },
        ConformanceCase("of a user's sessions those last seen are kept, as many as are wanted beside the spared one") {
            store in
            var ids: [SessionID] = []
            for _ in 0..<6 {
                ids.append(try store.create(user: "ada"))
                try store.advance(1)
            }
            _ = try store.provider.touch(ids[1])
            let other = try store.create(user: "bob")
            let end = { try store.users.destroySessions(of: "ada", except: ids[0], keeping: $0) }
            try store.expectEqual(try end(6), 0, "how many ended of fewer than are kept")
            try store.expectEqual(try end(2), 3, "how many ended")
            try store.expectEqual(
                try ids.map { try store.isThere($0) }, [true, true, false, false, false, true], "who is left")
            try store.expectEqual(
                try store.users.destroySessions(of: "ada", except: nil, keeping: 1), 2, "how many ended at last")
            try store.expect(try store.isThere(ids[1]), "the one last seen is gone")
            try store.expect(try store.isThere(other), "another user's session is gone")
        },
        ConformanceCase("beside a session that is none of the user's, or gone, nothing ends") { store in
            let id = try store.create(user: "ada")
            let gone = try store.create(user: "ada")
            _ = try store.provider.destroy(gone)
            for other in [gone, store.freshID(), try store.create(user: "bob"), try store.create()] {
                try store.expectEqual(try store.endAll("ada", except: other), 0, "how many ended")
            }
            try store.expect(try store.isThere(id), "a session ended for one that is not there")
        },
        ConformanceCase("of two log-ins at once that leave no room for another one survives") { store in
            for _ in 0..<20 {
                _ = try store.inParallel(2) { _ in
                    let id = try store.create(user: "ada")
                    _ = try store.users.destroySessions(of: "ada", except: id, keeping: 0)
                }
                try store.expectEqual(try store.list("ada").count, 1, "the sessions that are left")
                try store.endAll("ada")
            }
        },
        ConformanceCase("expired sessions are not among those that are kept") { store in
            let old = try store.create(user: "ada")
            try store.advance(1)
            for _ in 0..<3 { try store.create(user: "ada", idle: 2) }
            try store.advance(3)
            let new = try store.create(user: "ada")
            try store.expectEqual(
                try store.users.destroySessions(of: "ada", except: new, keeping: 1), 0, "how many ended")
            try store.expect(try store.isThere(old), "a live session is gone, expired ones were there")
        },
        ConformanceCase("an ended session is not brought back by a request under way") { store in
            let id = try store.create(user: "ada")
            _ = try store.record(id)
            _ = try store.endAll("ada")
            var patch = try store.patch(["late": true])
            patch.touches = true
            try store.expectGone(try store.provider.commit(patch, to: id, expecting: nil), "the commit")
            try store.expectGone(id)
        },
        ConformanceCase("to end all beside rotations misses none", needs: .grace) { store in
            for _ in 0..<10 {
                let ids = try (0..<4).map { _ in try store.create(user: "ada") }
                let last = try store.inParallel(5) { thread in
                    guard thread < 4 else {
                        _ = try store.endAll("ada")
                        return ids[0]
                    }
                    var id = ids[thread]
                    for _ in 0..<10 {
                        let new = store.freshID()
                        guard case .rotated = try store.provider.rotate(id, to: new, grace: .zero) else { break }
                        id = new
                    }
                    return id
                }
                for id in last { try store.expectGone(id, "a session that was bound before") }
                try store.expectEqual(try store.list("ada").count, 0, "the list")
            }
        },
        ConformanceCase("to end all beside log-ins leaves the list and the sessions in accord") { store in
            let made = try store.inParallel(6) { thread in
                var ids: [SessionID] = []
                for _ in 0..<20 {
                    if thread == 0 {
                        _ = try store.endAll("ada")
                    } else {
                        let id = try store.create()
                        try? store.logIn("ada", id)
                        ids.append(id)
                    }
                }
                return ids
            }.flatMap { $0 }
            let living = try made.count { try store.isThere($0) }
            try store.expectEqual(
                try store.list("ada").count, living, "listed and living")
            let new = try store.create(user: "ada")
            try store.expect(try store.isThere(new), "a log-in afterwards is gone")
            try store.expectEqual(try store.endAll("ada"), living + 1, "the ended")
        },
    ]
}
