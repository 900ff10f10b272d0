internal import Sessions

extension SessionProviderConformance {
    static let concurrency = [
        ConformanceCase("two requests that change different keys both win") { store in
            let id = try store.create(["k": 0])
            let one = try store.patch(["one": 1])
            let two = try store.patch(["two": 2])
            try store.commit(one, to: id)
            try store.commit(two, to: id)
            try store.expectEqual(
                try store.record(id).values, try store.draft(["k": 0, "one": 1, "two": 2]).values, "the values")
        },
        ConformanceCase("a thousand keys from 32 threads are all kept") { store in
            // It takes what it takes, whatever a second is.
            let id = try store.create(idle: 10_000, absolute: 20_000)
            _ = try store.inParallel(32) { thread in
                for key in stride(from: thread, to: 1_000, by: 32) {
                    var patch = try store.patch(["key \(key)": .int(Int64(key))])
                    patch.limits = SessionLimits(bytes: 1 << 20, keys: 2_000)
                    guard case .committed = try store.provider.commit(patch, to: id, expecting: nil) else {
                        throw ConformanceFailure("a commit was not made")
                    }
                }
            }
            let values = try store.record(id).values
            for key in 0..<1_000 { try store.expectEqual(values["key \(key)"], .int(Int64(key)), "key \(key)") }
        },
        ConformanceCase("50 increments at once, each by compare-and-set, give 50") { store in
            let id = try store.create(["n": 0])
            _ = try store.inParallel(50) { _ in
                var record = try store.record(id)
                while true {
                    guard case .int(let n)? = record.values["n"] else { throw ConformanceFailure("no number") }
                    let patch = try store.patch(["n": .int(n + 1)])
                    switch try store.provider.commit(patch, to: id, expecting: record.version) {
                    case .committed: return
                    case .conflict(let current): record = current
                    case let other: throw ConformanceFailure("the commit is \(store.name(other))")
                    }
                }
            }
            try store.expectEqual(try store.value(id, "n"), 50, "the number")
        },
        ConformanceCase("nobody sees half of a patch") { store in
            let id = try store.create(["a": 0, "b": 0])
            _ = try store.inParallel(6) { thread in
                for round in 1...100 {
                    if thread == 0 {
                        let number = SessionValue.int(Int64(round))
                        try store.commit(try store.patch(["a": number, "b": number]), to: id)
                    } else {
                        let values = try store.record(id).values
                        try store.expectEqual(values["a"], values["b"], "two values that one patch sets")
                    }
                }
            }
        },
        ConformanceCase("touches beside commits lose none of them") { store in
            let id = try store.create(["n": 0])
            _ = try store.inParallel(8) { thread in
                for round in 0..<50 {
                    if thread % 2 == 0 {
                        try store.expect(try store.provider.touch(id) != .gone, "the session is gone")
                    } else {
                        let patch = try store.patch(["\(thread)": .int(Int64(round))])
                        _ = try store.provider.commit(patch, to: id, expecting: nil)
                    }
                }
            }
            for thread in stride(from: 1, to: 8, by: 2) {
                try store.expectEqual(try store.value(id, "\(thread)"), 49, "what thread \(thread) wrote last")
            }
        },
        ConformanceCase("commits beside a destruction bring nothing back") { store in
            for _ in 0..<20 {
                let id = try store.create()
                let outcomes = try store.inParallel(6) { thread in
                    if thread == 0 { return try store.provider.destroy(id) }
                    for round in 0..<10 {
                        var patch = try store.patch(["n": .int(Int64(round))])
                        patch.touches = true
                        _ = try store.provider.commit(patch, to: id, expecting: nil)
                    }
                    return false
                }
                try store.expect(outcomes[0], "the destruction found nothing")
                try store.expectGone(id)
            }
        },
    ]

    static let touching = [
        ConformanceCase("a touch of an unknown, destroyed or expired session is gone and creates nothing") { store in
            let unknown = store.freshID()
            try store.expectGone(try store.provider.touch(unknown), "an unknown one")
            let destroyed = try store.create()
            _ = try store.provider.destroy(destroyed)
            try store.expectGone(try store.provider.touch(destroyed), "a destroyed one")
            let expired = try store.create(idle: 5)
            try store.advance(6)
            try store.expectGone(try store.provider.touch(expired), "an expired one")
            for id in [unknown, destroyed, expired] { try store.expectGone(id) }
        },
        ConformanceCase("a touch puts off the idle timeout") { store in
            let id = try store.create(idle: 10)
            for _ in 0..<3 {
                try store.advance(7)
                try store.expect(try store.provider.touch(id) != .gone, "the session is gone")
            }
            try store.advance(7)
            try store.expect(try store.isThere(id), "a touched session is gone")
            try store.advance(4)
            try store.expectGone(id)
        },
        ConformanceCase("a touch keeps what was written since the read") { store in
            let id = try store.create(["a": 1])
            _ = try store.record(id)
            try store.set("b", 2, in: id)
            _ = try store.provider.touch(id)
            try store.expectEqual(try store.record(id).values, try store.draft(["a": 1, "b": 2]).values, "the values")
        },
        ConformanceCase("a touch changes no version") { store in
            let id = try store.create()
            let version = try store.record(id).version
            _ = try store.provider.touch(id)
            try store.expectEqual(try store.record(id).version, version, "the version")
        },
        ConformanceCase("a touch never passes the absolute timeout") { store in
            let id = try store.create(idle: 10, absolute: 16)
            try store.advance(8)
            _ = try store.provider.touch(id)
            try store.expectAbout(try store.record(id).remaining, 8, "remaining")
            try store.advance(7)
            _ = try store.provider.touch(id)
            try store.advance(2)
            try store.expectGone(id)
        },
        ConformanceCase("a touch tells what remains") { store in
            let id = try store.create(idle: 10, absolute: 14)
            guard case .touched(let whole, nil) = try store.provider.touch(id) else {
                throw ConformanceFailure("not touched, or with a successor")
            }
            try store.expectAbout(whole, 10, "at first")
            try store.advance(8)
            guard case .touched(let rest, _) = try store.provider.touch(id) else {
                throw ConformanceFailure("not touched")
            }
            try store.expectAbout(rest, 6, "near the absolute timeout")
        },
    ]

    static let expiry = [
        ConformanceCase("the idle timeout ends a session at its very instant", needs: .exactDeadlines, .exactClock) {
            store in
            let id = try store.create(idle: 10)
            try store.fixture.advance(store.seconds(10) - .nanoseconds(1))
            try store.expect(try store.isThere(id), "it ended too early")
            try store.fixture.advance(.nanoseconds(1))
            try store.expectGone(id)
        },
        ConformanceCase("the absolute timeout ends a session at its very instant", needs: .exactDeadlines, .exactClock)
        { store in
            let id = try store.create(idle: 10, absolute: 15)
            try store.advance(8)
            _ = try store.provider.touch(id)
            try store.fixture.advance(store.seconds(7) - .nanoseconds(1))
            try store.expect(try store.isThere(id), "it ended too early")
            try store.fixture.advance(.nanoseconds(1))
            try store.expectGone(id)
        },
        ConformanceCase("nothing works on an expired session", needs: .exactDeadlines) { store in
            let id = try store.create(user: "ada", idle: 5)
            try store.advance(6)
            try store.expectGone(id)
            try store.expect(try !store.provider.destroy(id), "it was destroyed")
            try store.expectGone(try store.provider.touch(id), "a touch")
            try store.expectGone(try store.provider.rotate(id, to: store.freshID(), grace: .zero), "a rotation")
            try store.expectGone(
                try store.provider.commit(try store.patch(["k": 1]), to: id, expecting: nil), "a commit")
            try store.expectEqual(try store.list("ada").count, 0, "the user's sessions")
        },
        ConformanceCase("no record is without an end, whatever is done to it") { store in
            var ids: [SessionID] = []
            for step in 0..<5 {
                let id = try store.create(idle: 10, absolute: 30)
                ids.append(id)
                switch step {
                case 1: try store.set("n", 1, in: id)
                case 2: _ = try store.provider.touch(id)
                case 3: ids.append(try store.rotate(id, grace: 5))
                case 4: try store.logIn("ada", id)
                default: break
                }
            }
            try store.advance(31)
            for id in ids { try store.expectGone(id) }
        },
        ConformanceCase("timeouts of years are kept", needs: .exactDeadlines, .exactClock) { store in
            let day = 86_400.0
            let id = try store.create(idle: 365 * day, absolute: 3_650 * day)
            try store.advance(364 * day)
            try store.expect(try store.isThere(id), "a year was too long")
            try store.advance(day)
            try store.expectGone(id)
        },
    ]

    static let destroying = [
        ConformanceCase("what is destroyed is gone, a second time there is nothing, and others stay") { store in
            let id = try store.create()
            let other = try store.create()
            try store.expect(try store.provider.destroy(id), "nothing was destroyed")
            try store.expectGone(id)
            try store.expect(try !store.provider.destroy(id), "destroyed twice")
            try store.expect(try store.isThere(other), "another session is gone")
        },
        ConformanceCase("to destroy an unknown id is no error") { store in
            try store.expect(try !store.provider.destroy(store.freshID()), "an unknown session was destroyed")
        },
        ConformanceCase("of parallel destructions one finds the session") { store in
            for _ in 0..<10 {
                let id = try store.create()
                let found = try store.inParallel(6) { _ in try store.provider.destroy(id) }
                try store.expectEqual(found.count { $0 }, 1, "how many found it")
            }
        },
    ]
}
