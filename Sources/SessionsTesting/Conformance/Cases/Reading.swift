internal import Sessions

extension SessionProviderConformance {
    static let reading = [
        ConformanceCase("a read of an unknown id finds nothing and creates nothing") { store in
            let id = store.freshID()
            try store.expect(try store.provider.read(id) == nil, "an unknown id was adopted")
            try store.expect(try store.provider.read(id) == nil, "a read has created a session")
            try store.expectCount(0)
        },
        ConformanceCase("a read does not put off the end") { store in
            let id = try store.create(idle: 10)
            try store.advance(6)
            _ = try store.record(id)
            try store.advance(6)
            try store.expectGone(id)
        },
        ConformanceCase("a record tells its age, its rest and what remains of it") { store in
            let id = try store.create(idle: 20, absolute: 100)
            try store.advance(5)
            _ = try store.provider.touch(id)
            try store.advance(4)
            let record = try store.record(id)
            try store.expectAbout(record.age, 9, "age")
            try store.expectAbout(record.idle, 4, "idle")
            try store.expectAbout(record.idleRemaining, 16, "idleRemaining")
            try store.expectAbout(record.absoluteRemaining, 91, "absoluteRemaining")
            try store.expect(record.successor == nil, "a session under its own id has a successor")
        },
        ConformanceCase("a read of one session says nothing of another") { store in
            let one = try store.create(["k": 1])
            let two = try store.create(["k": 2])
            try store.expectEqual(try store.value(one), 1, "the first")
            try store.expectEqual(try store.value(two), 2, "the second")
        },
    ]

    static let creating = [
        ConformanceCase("what is created is read") { store in
            let draft = try store.draft(["a": 1, "b": "two"], user: "ada")
            let id = store.freshID()
            guard case .created = try store.provider.create(id, draft) else {
                throw ConformanceFailure("not created")
            }
            try store.expectEqual(try store.record(id).values, draft.values, "the values")
        },
        ConformanceCase("an id in use is refused, and its session is untouched") { store in
            let id = try store.create(["k": "old"])
            guard case .exists = try store.provider.create(id, try store.draft(["k": "new"])) else {
                throw ConformanceFailure("a second session was created under one id")
            }
            try store.expectEqual(try store.value(id), "old", "the value")
        },
        ConformanceCase("of parallel creations under one id one wins") { store in
            let id = store.freshID()
            let created = try store.inParallel(8) { number in
                guard case .created = try store.provider.create(id, try store.draft(["k": .int(Int64(number))]))
                else { return -1 }
                return number
            }.filter { $0 >= 0 }
            try store.expectEqual(created.count, 1, "how many were created")
            try store.expectEqual(try store.value(id), .int(Int64(created[0])), "the value")
        },
        ConformanceCase("an expired session is not in the way of a new one under its id") { store in
            let id = try store.create(["k": "old"], idle: 5)
            try store.advance(6)
            guard case .created = try store.provider.create(id, try store.draft(["k": "new"])) else {
                throw ConformanceFailure("an expired session is in the way")
            }
            try store.expectEqual(try store.value(id), "new", "the value")
        },
        ConformanceCase("empty values and null are kept", needs: .kinds) { store in
            let values: [ByteString: SessionValue] = [
                "text": "", "bytes": .bytes([]), "array": [], "object": [:], "null": nil, "": "empty key",
            ]
            let id = try store.create(values)
            for (key, value) in values { try store.expectEqual(try store.value(id, key), value, "\"\(key)\"") }
        },
        ConformanceCase("keys and values of any characters are kept") { store in
            let texts = ["a\0b", "naïve 🍪", "a/b", "a b", "..", "\"'\\", "\r\n", "%00", "user", "{}", "\u{7F}"]
            let id = try store.create(Dictionary(uniqueKeysWithValues: texts.map { (ByteString($0), .string($0)) }))
            for text in texts { try store.expectEqual(try store.value(id, ByteString(text)), .string(text), "a value") }
            try store.expectEqual(try store.record(id).values.count, texts.count, "the number of keys")
        },
        ConformanceCase("each kind of value is kept exactly", needs: .kinds) { store in
            let values: [ByteString: SessionValue] = [
                "min": .int(.min), "max": .int(.max), "big": .double(1e300), "small": .double(-0.1), "true": true,
                "false": false, "bytes": .bytes(Array(0...255)), "nested": ["a": [1, [2, ["b": nil]]]],
                "zero": 0, "whole": .double(2),
            ]
            let id = try store.create(values)
            for (key, value) in values { try store.expectEqual(try store.value(id, key), value, "\"\(key)\"") }
        },
        ConformanceCase("a reserved key and an application's of the same name are two") { store in
            let id = try store.create(["user": "an application's"], user: "ada")
            let values = try store.record(id).values
            try store.expectEqual(values["user"], "an application's", "the application's")
            try store.expectEqual(values[.user], "ada", "the reserved one")
            try store.expectEqual(values.user, "ada", "the user")
        },
        ConformanceCase("many keys and a large value are kept") { store in
            var values: [ByteString: SessionValue] = ["large": .string(String(repeating: "x", count: 60_000))]
            for number in 0..<255 { values["key \(number)"] = .int(Int64(number)) }
            let id = try store.create(values)
            try store.expectEqual(
                try store.record(id).values, try store.draft(values).values, "256 keys and 60,000 bytes")
        },
    ]
}
