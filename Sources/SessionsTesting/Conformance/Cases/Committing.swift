internal import Sessions

extension SessionProviderConformance {
    static let committing = [
        ConformanceCase("a patch sets its key and leaves the others") { store in
            let id = try store.create(["a": 1, "b": 2])
            try store.set("a", 10, in: id)
            try store.set("c", 3, in: id)
            try store.expectEqual(
                try store.record(id).values, try store.draft(["a": 10, "b": 2, "c": 3]).values, "the values")
        },
        ConformanceCase("a patch removes its key and leaves the others") { store in
            let id = try store.create(["a": 1, "b": 2])
            try store.commit(try store.patch(removing: ["a", "never there"]), to: id)
            try store.expectEqual(try store.record(id).values, try store.draft(["b": 2]).values, "the values")
        },
        ConformanceCase("of two changes to one key in a patch the last counts") { store in
            let id = try store.create(["a": 1, "b": 1, "c": 1])
            var patch = SessionPatch()
            patch.remove(SessionKey("a"))
            try patch.set(2, for: SessionKey("a"))
            try patch.set(2, for: SessionKey("b"))
            patch.remove(SessionKey("b"))
            try store.commit(patch, to: id)
            try store.expectEqual(try store.record(id).values, try store.draft(["a": 2, "c": 1]).values, "the values")
        },
        ConformanceCase("the values that a commit returns, if it does, are the record's") { store in
            let id = try store.create(["a": 1, "b": 2])
            let patch = try store.patch(["a": 10], removing: ["b"])
            guard case .committed(_, let values?, nil) = try store.provider.commit(patch, to: id, expecting: nil)
            else { return }
            try store.expectEqual(values, try store.draft(["a": 10]).values, "the values returned")
            try store.expectEqual(values, try store.record(id).values, "the values read")
        },
        ConformanceCase("a patch is made on the record as it is, not as it was read") { store in
            let id = try store.create(["a": 1])
            _ = try store.record(id)
            try store.set("meanwhile", true, in: id)
            try store.set("a", 2, in: id)
            try store.expectEqual(try store.value(id, "meanwhile"), true, "what came in between")
        },
        ConformanceCase("each change of a value changes the version, and no version comes twice") { store in
            let id = try store.create()
            var seen: Set<UInt64> = [try store.record(id).version]
            for number in 0..<100 {
                let version = try store.set("n", .int(Int64(number)), in: id)
                try store.expect(seen.insert(version).inserted, "version \(version) came twice")
                try store.expectEqual(try store.record(id).version, version, "the version read")
            }
        },
        ConformanceCase("a patch without changes changes no version") { store in
            let id = try store.create()
            let version = try store.record(id).version
            var patch = SessionPatch()
            patch.touches = true
            try store.expectEqual(try store.commit(patch, to: id), version, "the version")
            try store.expectEqual(try store.record(id).version, version, "the version read")
        },
        ConformanceCase("a stale version is a conflict, which shows the record and changes nothing") { store in
            let id = try store.create(["n": 0])
            let stale = try store.record(id).version
            let current = try store.set("n", 1, in: id)
            let outcome = try store.provider.commit(try store.patch(["n": 2]), to: id, expecting: stale)
            guard case .conflict(let record) = outcome else {
                throw ConformanceFailure("wanted a conflict, got \(store.name(outcome))")
            }
            try store.expectEqual(record.version, current, "the version in the conflict")
            try store.expectEqual(record.values["n"], 1, "the value in the conflict")
            try store.expectEqual(try store.value(id, "n"), 1, "the value")
        },
        ConformanceCase("a conflict is no visit and changes no lifetime") { store in
            let id = try store.create(["n": 0], idle: 10)
            let stale = try store.record(id).version
            try store.set("n", 1, in: id)
            try store.advance(6)
            var patch = try store.patch(["n": 2])
            patch.touches = true
            patch.lifetime = SessionLifetime(idleTimeout: store.seconds(500), absoluteTimeout: store.seconds(900))
            guard case .conflict = try store.provider.commit(patch, to: id, expecting: stale) else {
                throw ConformanceFailure("no conflict")
            }
            try store.advance(5)
            try store.expectGone(id)
        },
        ConformanceCase("the right version is committed") { store in
            let id = try store.create(["n": 0])
            let version = try store.record(id).version
            let next = try store.commit(try store.patch(["n": 1]), to: id, expecting: version)
            try store.commit(try store.patch(["n": 2]), to: id, expecting: next)
            try store.expectEqual(try store.value(id, "n"), 2, "the value")
        },
        ConformanceCase("a commit to an unknown id creates nothing") { store in
            let id = store.freshID()
            try store.expectGone(
                try store.provider.commit(try store.patch(["k": 1]), to: id, expecting: nil), "a commit")
            try store.expectGone(id, "a session that was never created")
            try store.expectCount(0)
        },
        ConformanceCase("a commit after the session was destroyed brings nothing back") { store in
            let id = try store.create()
            let version = try store.record(id).version
            _ = try store.provider.destroy(id)
            let patch = try store.patch(["late": true])
            try store.expectGone(try store.provider.commit(patch, to: id, expecting: nil), "a commit")
            try store.expectGone(try store.provider.commit(patch, to: id, expecting: version), "a versioned commit")
            try store.expectGone(id)
        },
        ConformanceCase("a commit after the end brings nothing back") { store in
            let id = try store.create(idle: 5)
            try store.advance(6)
            var patch = try store.patch(["late": true])
            patch.touches = true
            try store.expectGone(try store.provider.commit(patch, to: id, expecting: nil), "a commit")
            try store.expectGone(id)
        },
        ConformanceCase("a commit that leaves nothing removes the session") { store in
            let id = try store.create(["a": 1, "b": 2])
            try store.commit(try store.patch(removing: ["a"]), to: id)
            let outcome = try store.provider.commit(try store.patch(removing: ["b"]), to: id, expecting: nil)
            guard case .emptied = outcome else {
                throw ConformanceFailure("wanted emptied, got \(store.name(outcome))")
            }
            try store.expectGone(id)
            try store.expectGone(try store.provider.touch(id), "a touch afterwards")
        },
        ConformanceCase("a session that still has its user is not empty") { store in
            let id = try store.create(["a": 1], user: "ada")
            try store.commit(try store.patch(removing: ["a"]), to: id)
            try store.expectEqual(try store.record(id).values.user, "ada", "the user")
        },
        ConformanceCase("a patch over the limit of bytes changes nothing") { store in
            let id = try store.create(["k": "old"])
            var patch = try store.patch(["big": .string(String(repeating: "x", count: 2_000)), "k": "new"])
            patch.limits = SessionLimits(bytes: 1_000)
            let outcome = try store.provider.commit(patch, to: id, expecting: nil)
            guard case .overLimit = outcome else {
                throw ConformanceFailure("wanted over the limit, got \(store.name(outcome))")
            }
            try store.expectEqual(try store.record(id).values, try store.draft(["k": "old"]).values, "the values")
        },
        ConformanceCase("a patch over the limit of keys changes nothing") { store in
            let id = try store.create(["a": 1, "b": 2])
            var patch = try store.patch(["c": 3])
            patch.limits = SessionLimits(keys: 2)
            let outcome = try store.provider.commit(patch, to: id, expecting: nil)
            guard case .overLimit = outcome else {
                throw ConformanceFailure("wanted over the limit, got \(store.name(outcome))")
            }
            try store.expectEqual(try store.record(id).values.count, 2, "the number of keys")
        },
        ConformanceCase("a value of one mebibyte is kept, or refused with nothing changed") { store in
            let id = try store.create(["k": "old"])
            let large = SessionValue.string(String(repeating: "x", count: 1 << 20))
            var patch = try store.patch(["large": large])
            patch.limits = SessionLimits(bytes: 2 << 20)
            let outcome = try? store.provider.commit(patch, to: id, expecting: nil)
            if case .committed? = outcome {
                try store.expectEqual(try store.value(id, "large"), large, "the large value")
            } else {
                try store.expect(try store.value(id, "large") == nil, "a refused value is there")
            }
            try store.expectEqual(try store.value(id), "old", "the old value")
        },
        ConformanceCase("a commit is no visit unless it says so") { store in
            let silent = try store.create(idle: 10)
            let touching = try store.create(idle: 10)
            try store.advance(6)
            var patch = try store.patch(["n": 1])
            try store.commit(patch, to: silent)
            patch.touches = true
            try store.commit(patch, to: touching)
            try store.expectAbout(try store.record(touching).idle, 0, "idle after a touching commit")
            try store.advance(6)
            try store.expectGone(silent, "a session without a visit")
            try store.expect(try store.isThere(touching), "a touched session is gone")
        },
    ]

    static let lifetimes = [
        ConformanceCase("a commit with a lifetime changes both timeouts, counted from the beginning", needs: .lifetimes)
        { store in
            let id = try store.create(idle: 10, absolute: 100)
            try store.advance(5)
            var patch = SessionPatch()
            patch.lifetime = SessionLifetime(idleTimeout: store.seconds(50), absoluteTimeout: store.seconds(200))
            let version = try store.record(id).version
            try store.expectEqual(try store.commit(patch, to: id), version, "the version")
            let record = try store.record(id)
            try store.expectAbout(record.idleRemaining, 45, "idleRemaining")
            try store.expectAbout(record.absoluteRemaining, 195, "absoluteRemaining")
            try store.advance(40)
            try store.expect(try store.isThere(id), "the longer lifetime does not hold")
            try store.advance(7)
            try store.expectGone(id)
        },
        ConformanceCase("a lifetime stays over touches and rotations", needs: .lifetimes) { store in
            let id = try store.create(idle: 10, absolute: 1_000)
            var patch = try store.patch(["n": 1])
            patch.lifetime = SessionLifetime(idleTimeout: store.seconds(50), absoluteTimeout: store.seconds(500))
            try store.commit(patch, to: id)
            let new = try store.rotate(id, grace: 0)
            _ = try store.provider.touch(new)
            try store.advance(40)
            try store.expect(try store.isThere(new), "the lifetime was forgotten")
        },
        ConformanceCase("a shorter lifetime ends the session sooner", needs: .lifetimes) { store in
            let id = try store.create(idle: 100)
            var patch = SessionPatch()
            patch.lifetime = SessionLifetime(idleTimeout: store.seconds(5), absoluteTimeout: store.seconds(50))
            try store.commit(patch, to: id)
            try store.advance(6)
            try store.expectGone(id)
        },
        ConformanceCase("a lifetime that is over already ends the session", needs: .lifetimes) { store in
            let id = try store.create(idle: 100)
            try store.advance(20)
            var patch = try store.patch(["n": 1])
            patch.lifetime = SessionLifetime(idleTimeout: store.seconds(5), absoluteTimeout: store.seconds(10))
            try store.expectGone(try store.provider.commit(patch, to: id, expecting: nil), "the commit")
            try store.expectGone(id)
        },
    ]
}
