internal import Sessions

extension SessionProviderConformance {
    static let rotating = [
        ConformanceCase("a rotation keeps values, version, age and deadlines under the new id") { store in
            let id = try store.create(["a": 1], user: "ada", idle: 20, absolute: 100)
            try store.set("b", 2, in: id)
            try store.advance(5)
            let before = try store.record(id)
            let new = try store.rotate(id, grace: 0)
            let after = try store.record(new)
            try store.expectEqual(after.values, before.values, "the values")
            try store.expectEqual(after.version, before.version, "the version")
            try store.expectAbout(after.age, 5, "age")
            try store.expectAbout(after.idleRemaining, 15, "idleRemaining")
            try store.expectAbout(after.absoluteRemaining, 95, "absoluteRemaining")
            try store.expect(after.successor == nil, "the new id has a successor")
        },
        ConformanceCase("without grace the old id is dead at once") { store in
            let id = try store.create()
            _ = try store.rotate(id, grace: 0)
            try store.expectGone(id, "the old id")
            try store.expectGone(try store.provider.touch(id), "a touch of the old id")
            try store.expect(try !store.provider.destroy(id), "the old id was destroyed")
            try store.expectGone(
                try store.provider.commit(try store.patch(["k": 1]), to: id, expecting: nil), "a commit")
        },
        ConformanceCase("within its grace the old id leads to the new one, and then it is dead", needs: .grace) {
            store in
            let id = try store.create(["k": "v"])
            let new = try store.rotate(id, grace: 10)
            try store.advance(8)
            let record = try store.record(id, "the old id in its grace")
            try store.expectEqual(record.successor, new, "the successor")
            try store.expectEqual(record.values["k"], "v", "the value")
            try store.advance(3)
            try store.expectGone(id, "the old id after its grace")
            try store.expect(try store.isThere(new), "the session is gone with the grace")
        },
        ConformanceCase("neither a rotation nor an old id puts off the end", needs: .grace) { store in
            let id = try store.create(idle: 10)
            try store.advance(6)
            let new = try store.rotate(id, grace: 100)
            _ = try store.record(id)
            try store.advance(6)
            try store.expectGone(new)
            try store.expectGone(id, "the old id of an expired session")
        },
        ConformanceCase("ten rotations at once give one successor", needs: .grace) { store in
            let id = try store.create(["k": "v"])
            let successors = try store.inParallel(10) { _ in
                let new = store.freshID()
                switch try store.provider.rotate(id, to: new, grace: store.seconds(10)) {
                case .rotated: return new
                case .successor(let other): return other
                default: throw ConformanceFailure("a rotation is gone or taken")
                }
            }
            try store.expectEqual(Set(successors).count, 1, "the number of successors")
            try store.expectEqual(try store.value(successors[0]), "v", "the value")
            try store.expectCount(1)
        },
        ConformanceCase("rotations of an old id in its grace name the one successor", needs: .grace) { store in
            let id = try store.create()
            let new = try store.rotate(id, grace: 10)
            let late = store.freshID()
            guard case .successor(let given) = try store.provider.rotate(id, to: late, grace: store.seconds(10))
            else { throw ConformanceFailure("the old id was rotated again") }
            try store.expectEqual(given, new, "the successor")
            try store.expectGone(late, "a session under the latecomer's id")
        },
        ConformanceCase("a rotation of an unknown, destroyed or expired session is gone and creates nothing") { store in
            let destroyed = try store.create()
            _ = try store.provider.destroy(destroyed)
            let expired = try store.create(idle: 5)
            try store.advance(6)
            for id in [store.freshID(), destroyed, expired] {
                let new = store.freshID()
                try store.expectGone(
                    try store.provider.rotate(id, to: new, grace: store.seconds(10)), "the rotation")
                try store.expectGone(new, "the new id")
            }
        },
        ConformanceCase("a rotation onto an id in use is refused, and both sessions are untouched") { store in
            let id = try store.create(["k": 1])
            let other = try store.create(["k": 2])
            guard case .taken = try store.provider.rotate(id, to: other, grace: store.seconds(10)) else {
                throw ConformanceFailure("an id in use was taken")
            }
            try store.expectEqual(try store.value(id), 1, "the first")
            try store.expectEqual(try store.value(other), 2, "the second")
        },
        ConformanceCase("an old id in its grace is in use", needs: .grace) { store in
            let id = try store.create(["k": "v"])
            let new = try store.rotate(id, grace: 10)
            guard case .exists = try store.provider.create(id, try store.draft(["k": "new"])) else {
                throw ConformanceFailure("a session was created under an old id in its grace")
            }
            guard case .taken = try store.provider.rotate(try store.create(), to: id, grace: store.seconds(10)) else {
                throw ConformanceFailure("a session was rotated onto an old id in its grace")
            }
            try store.expectEqual(try store.record(id).successor, new, "the successor")
        },
        ConformanceCase("the grace ends at its very instant", needs: .grace, .exactClock) { store in
            let id = try store.create()
            _ = try store.rotate(id, grace: 10)
            try store.fixture.advance(store.seconds(10) - .nanoseconds(1))
            try store.expect(try store.isThere(id), "it ended too early")
            try store.fixture.advance(.nanoseconds(1))
            try store.expectGone(id, "the old id")
        },
        ConformanceCase("the old id dies with the session", needs: .grace) { store in
            let id = try store.create()
            let new = try store.rotate(id, grace: 100)
            try store.expect(try store.provider.destroy(new), "nothing was destroyed")
            try store.expectGone(id, "the old id")
            try store.expectGone(try store.provider.touch(id), "a touch of the old id")
        },
        ConformanceCase("to destroy by the old id in its grace ends the session", needs: .grace) { store in
            let id = try store.create()
            let new = try store.rotate(id, grace: 10)
            try store.expect(try store.provider.destroy(id), "nothing was destroyed")
            try store.expectGone(new, "the session")
            try store.expectGone(id, "the old id")
        },
        ConformanceCase("a touch and a commit by the old id reach the session and name its id", needs: .grace) {
            store in
            let id = try store.create()
            let new = try store.rotate(id, grace: 10)
            guard case .touched(_, let touched) = try store.provider.touch(id) else {
                throw ConformanceFailure("the touch found nothing")
            }
            try store.expectEqual(touched, new, "the successor of the touch")
            let patch = try store.patch(["late": true])
            guard case .committed(_, _, let committed) = try store.provider.commit(patch, to: id, expecting: nil) else {
                throw ConformanceFailure("the commit was not made")
            }
            try store.expectEqual(committed, new, "the successor of the commit")
            try store.expectEqual(try store.value(new, "late"), true, "the value")
        },
        ConformanceCase("a conflict by the old id names the session's id", needs: .grace) { store in
            let id = try store.create()
            let stale = try store.record(id).version
            let new = try store.rotate(id, grace: 10)
            try store.set("n", 1, in: new)
            guard
                case .conflict(let record) = try store.provider.commit(
                    try store.patch(["n": 2]), to: id, expecting: stale)
            else { throw ConformanceFailure("no conflict") }
            try store.expectEqual(record.successor, new, "the successor")
        },
        ConformanceCase("an id that was replaced twice leads to the last one", needs: .grace) { store in
            let first = try store.create(["k": "v"])
            let second = try store.rotate(first, grace: 10)
            let third = try store.rotate(second, grace: 10)
            for id in [first, second] {
                let record = try store.record(id, "an old id")
                try store.expectEqual(record.successor, third, "the successor")
                try store.expectEqual(record.values["k"], "v", "the value")
            }
        },
        ConformanceCase("commits beside a rotation are all kept", needs: .grace) { store in
            let id = try store.create()
            let ids = try store.inParallel(5) { thread in
                if thread == 0 { return try store.rotate(id, grace: 100) }
                for round in 0..<20 {
                    let patch = try store.patch(["\(thread)": .int(Int64(round))])
                    guard case .committed = try store.provider.commit(patch, to: id, expecting: nil) else {
                        throw ConformanceFailure("a commit by the old id was not made")
                    }
                }
                return id
            }
            for thread in 1..<5 { try store.expectEqual(try store.value(ids[0], "\(thread)"), 19, "thread \(thread)") }
        },
    ]

    static let replacedIDs = [
        ConformanceCase("a replaced id is remembered after its grace", needs: .grace, .memoryOfRotations) { store in
            let id = try store.create()
            let new = try store.rotate(id, grace: 5)
            try store.advance(20)
            try store.expectGone(id, "the old id")
            guard let retirement = try store.provider.retirement(of: id) else {
                throw ConformanceFailure("it is forgotten")
            }
            try store.expectAbout(retirement.age, 20, "age")
            try store.expectEqual(retirement.successor, new, "the successor")
        },
        ConformanceCase("an id that a log-in replaced is remembered", needs: .memoryOfRotations) { store in
            let id = try store.create()
            _ = try store.rotate(id, grace: 0)
            try store.advance(3)
            guard let retirement = try store.provider.retirement(of: id) else {
                throw ConformanceFailure("it is forgotten")
            }
            try store.expectAbout(retirement.age, 3, "age")
        },
        ConformanceCase("an unknown id, a live one and a destroyed one were never replaced") { store in
            let live = try store.create()
            let destroyed = try store.create()
            _ = try store.provider.destroy(destroyed)
            for id in [store.freshID(), live, destroyed] {
                try store.expect(try store.provider.retirement(of: id) == nil, "an id was taken for a replaced one")
            }
        },
    ]
}
