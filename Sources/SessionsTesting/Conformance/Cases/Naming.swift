internal import Sessions

extension SessionProviderConformance {
    /// Names that are easily taken for one another, in pairs, and some that are not UTF-8.
    private enum Names {
        /// Canonically equivalent (Unicode chapter 3.7), so equal as Swift's `String`, and of different bytes.
        static let equivalent: [(ByteString, ByteString)] = [
            ("jos\u{e9}", "jose\u{301}"), ("\u{212b}", "\u{c5}"), ("\u{1e69}", "s\u{323}\u{307}"), ("K", "\u{212a}"),
        ]
        /// Latin-1, each byte of it that no UTF-8 has, cut UTF-8, and what a decoder would put in their place.
        static let anyBytes: [ByteString] = [
            ByteString(bytes: [0x6a, 0x6f, 0x73, 0xe9]), ByteString(bytes: [0xff]), ByteString(bytes: [0xfe]),
            ByteString(bytes: [0xc3]), ByteString(bytes: [0x61, 0x00, 0x80]), "\u{fffd}", "jos\u{fffd}",
        ]
    }

    static let naming = [
        ConformanceCase("keys that are canonically equivalent are two") { store in
            for (first, second) in Names.equivalent {
                let id = try store.create([first: 1, second: 2])
                try store.expectEqual(try store.record(id).values.count, 2, "the number of keys")
                try store.set(first, 3, in: id)
                try store.expectEqual(try store.value(id, first), 3, "the one that was set")
                try store.expectEqual(try store.value(id, second), 2, "the other one")
                try store.commit(try store.patch([first: 4, second: 5]), to: id)
                try store.expectEqual(try store.value(id, first), 4, "the one, set with the other")
                try store.commit(try store.patch(removing: [first]), to: id)
                try store.expectEqual(try store.value(id, second), 5, "the one that was not removed")
                try store.expectEqual(try store.record(id).values.keys, [second], "the keys")
            }
        },
        ConformanceCase("keys of any bytes are kept") { store in
            var values: [ByteString: SessionValue] = [:]
            for (number, name) in Names.anyBytes.enumerated() { values[name] = .int(Int64(number)) }
            let id = try store.create(values)
            try store.expectEqual(Set(try store.record(id).values.keys), Set(Names.anyBytes), "the keys at first")
            for name in Names.anyBytes {
                try store.expectEqual(try store.value(id, name), values[name], "a value at first")
                try store.set(name, "set", in: id)
                try store.expectEqual(try store.value(id, name), "set", "a value that was set")
            }
            try store.commit(try store.patch(removing: Array(Names.anyBytes.dropFirst())), to: id)
            try store.expectEqual(try store.record(id).values.keys, [Names.anyBytes[0]], "the keys in the end")
        },
        ConformanceCase("keys within a value are kept, whatever their bytes") { store in
            var object = SessionObject()
            for name in Names.equivalent.flatMap({ [$0.0, $0.1] }) + Names.anyBytes { object[name] = .name(name) }
            let id = try store.create(["object": .object(object)])
            try store.expectEqual(try store.value(id, "object"), .object(object), "the value")
        },
        ConformanceCase("users of canonically equivalent names are two", needs: .listedValues, .users) { store in
            for (first, second) in Names.equivalent { try expectStrangers(first, second, in: store) }
        },
        ConformanceCase("users whose names are not UTF-8 are kept apart", needs: .listedValues, .users) { store in
            for (first, second) in zip(Names.anyBytes, Names.anyBytes.dropFirst()) {
                try expectStrangers(first, second, in: store)
            }
        },
    ]

    /// Neither user sees or ends what is the other's; leaves no session behind.
    private static func expectStrangers(_ first: ByteString, _ second: ByteString, in store: ConformanceStore) throws {
        let one = try store.create(["n": 1], user: first)
        let two = try store.create(["n": 2])
        try store.logIn(second, two)
        try store.expectEqual(try store.record(one).values.user, first, "whose the first session is")
        try store.expectEqual(try store.record(two).values.user, second, "whose the second session is")
        try store.expectEqual(try store.list(first).map { $0.record.values["n"] }, [1], "the first user's list")
        try store.expectEqual(try store.list(second).map { $0.record.values["n"] }, [2], "the second user's list")
        for reference in try store.list(first).map(\.reference) {
            try store.expect(try !store.users.destroy(reference, of: second), "a user ended another one's session")
        }
        try store.endAll(second)
        try store.expectGone(two, "a session whose user ended all")
        try store.expect(try store.isThere(one), "a user ended all sessions of another one")
        try store.logIn(second, one)
        try store.expectEqual(try store.list(first).count, 0, "the first user's list after a change of user")
        try store.expectEqual(try store.list(second).count, 1, "the second user's list after a change of user")
        try store.endAll(second)
    }
}
