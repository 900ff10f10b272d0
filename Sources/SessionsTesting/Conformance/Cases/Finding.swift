internal import Sessions

extension SessionProviderConformance {
    static let finding = [
        ConformanceCase("each of a request's ids is answered, in their order") { store in
            let first = try store.create(["n": 1])
            let second = try store.create(["n": 2])
            var candidates = SessionIDCandidates(store.freshID())
            for id in [second, store.freshID(), first, store.freshID()] { candidates.add(id) }
            let findings = try store.provider.lookUp(candidates)
            let numbers = findings.map { finding -> SessionValue? in
                if case .found(let record) = finding { record.values["n"] } else { nil }
            }
            try store.expectEqual(numbers, [nil, 2, nil, 1, nil], "what the ids lead to")
        },
        ConformanceCase("no ids lead to nothing, and as many as a request may have to as many answers") { store in
            try store.expectEqual(try store.provider.lookUp(SessionIDCandidates()).count, 0, "without ids")
            var candidates = SessionIDCandidates()
            for _ in 0..<SessionIDCandidates.limit { candidates.add(store.freshID()) }
            let findings = try store.provider.lookUp(candidates)
            try store.expectEqual(findings.count, SessionIDCandidates.limit, "the answers")
        },
        ConformanceCase("replaced ids among others lead to their sessions", needs: .grace) { store in
            let id = try store.create(["n": 1])
            let other = try store.create(["n": 2])
            let new = try store.rotate(id, grace: 100)
            var candidates = SessionIDCandidates(other)
            candidates.add(id)
            candidates.add(new)
            let successors = try store.provider.lookUp(candidates).map { finding -> SessionID? in
                guard case .found(let record) = finding else { throw ConformanceFailure("an id leads nowhere") }
                return record.successor
            }
            try store.expectEqual(successors, [nil, new, nil], "the successors")
        },
        ConformanceCase("what a look-up hands out may be handed back with every call, and may be left out") { store in
            for keepsLease in [true, false] {
                let id = try store.create(["n": 1], user: "ada")
                var handle = SessionHandle(id, lease: keepsLease ? try store.record(id).lease : nil)
                let patch = try store.patch(["n": 2])
                guard case .committed = try store.provider.commit(patch, to: handle, expecting: nil) else {
                    throw ConformanceFailure("a commit was not made")
                }
                try store.expect(try store.provider.touch(handle) != .gone, "a touch is gone")
                let new = store.freshID()
                guard case .rotated = try store.provider.rotate(handle, to: new, grace: .zero) else {
                    throw ConformanceFailure("a rotation was not made")
                }
                handle = SessionHandle(new, lease: handle.lease)
                guard case .found(let record) = try store.provider.lookUp(handle) else {
                    throw ConformanceFailure("the rotated session is not there")
                }
                try store.expectEqual(record.values["n"], 2, "the value")
                try store.commit(try store.patch(["n": 3]), to: new)
                guard case .committed = try store.provider.commit(try store.patch(["m": 4]), to: handle, expecting: nil)
                else { throw ConformanceFailure("a commit after another's was not made") }
                try store.expectEqual(try store.value(new, "n"), 3, "what was written past the lease")
                try store.expectEqual(try store.value(new, "m"), 4, "what was written with it")
                try store.expect(try store.provider.destroy(handle), "nothing was destroyed")
                try store.expectGone(new)
                try store.expectEqual(try store.list("ada").count, 0, "the user's sessions")
            }
        },
        ConformanceCase("what others have changed since a look-up is in the values that a visit's commit returns") {
            store in
            for step in 0..<3 {
                let id = try store.create(["n": 1])
                let handle = SessionHandle(id, lease: try store.record(id).lease)
                try store.set("n", 2, in: id)
                var patch = SessionPatch()
                patch.touches = step == 0
                if step == 1, store.provider.traits.keepsLifetimes {
                    patch.lifetime = SessionLifetime(
                        idleTimeout: store.seconds(50), absoluteTimeout: store.seconds(500))
                }
                for _ in 0..<2 {
                    guard
                        case .committed(let version, let values, _) = try store.provider.commit(
                            patch, to: handle, expecting: nil)
                    else { throw ConformanceFailure("a commit was not made") }
                    // A stale value beside the version of now would undo the other's change at the next compare-and-set.
                    try store.expectEqual(version, try store.record(id).version, "the version")
                    if let values { try store.expectEqual(values["n"], 2, "the value") }
                }
            }
        },
        ConformanceCase("a lease of a session that another request ended brings nothing back") { store in
            let id = try store.create(user: "ada")
            let handle = SessionHandle(id, lease: try store.record(id).lease)
            _ = try store.provider.destroy(id)
            try store.expectGone(
                try store.provider.commit(try store.patch(["k": 1]), to: handle, expecting: nil), "a commit")
            try store.expectGone(try store.provider.touch(handle), "a touch")
            try store.expectGone(try store.provider.rotate(handle, to: store.freshID(), grace: .zero), "a rotation")
            try store.expect(try !store.provider.destroy(handle), "it was destroyed twice")
            try store.expectGone(id)
        },
    ]

    static let listing = [
        ConformanceCase(
            "a list of all sessions has each that was there, whatever the size of its pages", needs: .listing
        ) { store in
            guard let provider = store.provider as? any ListingProvider else { return }
            let ids = try (0..<300).map { try store.create(["n": .int(Int64($0))], user: $0 % 3 == 0 ? "ada" : nil) }
            _ = try store.provider.destroy(ids[0])
            _ = try store.rotate(ids[1], grace: 100)
            try store.create(["n": -1], idle: 1)
            try store.advance(2)
            for limit in [1, 7, 1_000] {
                var (numbers, users, pages): (Set<String>, Int, Int) = ([], 0, 0)
                var position: SessionListPosition?
                repeat {
                    let page = try provider.sessions(from: position, limit: limit)
                    position = page.next
                    pages += 1
                    for session in page.sessions { numbers.insert("\(session.values["n"] ?? .null)") }
                    users += page.sessions.count { $0.values.user == "ada" }
                    try store.expect(pages < 100_000, "the list has no end")
                } while position != nil
                if store.provider.traits.listsValues {
                    try store.expectEqual(numbers.count, 299, "the sessions in pages of \(limit)")
                }
                // Some stores may tell of one twice.
                try store.expect((99...198).contains(users), "\(users) sessions of a user in pages of \(limit)")
            }
        }
    ]
}
