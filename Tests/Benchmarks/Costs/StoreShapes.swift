internal import MemorySessions
internal import Sessions
internal import SessionsTesting

let storeShapes: [Shape] =
    [
        store("the list of one user", 300, user: "ada") { provider, _, ids in
            use(provider.sessions(of: "ada", current: ids[0], limit: .max))
        },
        store("pages of the list of one user", 300, user: "ada") { provider, _, ids in
            for _ in 0..<100 { use(provider.sessions(of: "ada", current: ids[0], limit: 50)) }
        },
        store("ending all other sessions of one user", 300, user: "ada") { provider, _, ids in
            use(provider.destroySessions(of: "ada", except: ids[0], keeping: 0))
        },
        store("ending the sessions of one user by their names in the list", 300, user: "ada") { provider, _, ids in
            for session in provider.sessions(of: "ada", current: nil, limit: .max).sessions {
                use(provider.destroy(session.reference, of: "ada"))
            }
        },
        store("visits to the sessions of one user", 300, user: "ada") { provider, time, ids in
            time.advance(by: .seconds(1))
            for id in ids { use(provider.touch(SessionHandle(id))) }
        },
        store("log-ins of one user beyond the user's cap", 100, user: "ada") { provider, time, ids in
            for _ in 0..<100 {
                time.advance(by: .milliseconds(1))
                let id = SessionID.random()
                use(provider.create(id, try draft(user: "ada")))
                use(provider.destroySessions(of: "ada", except: id, keeping: ids.count - 1))
            }
        },
        store("ending the sessions of one user one by one", 300, user: "ada") { provider, _, ids in
            for id in ids { use(provider.destroy(SessionHandle(id))) }
        },
        store("log-ins of one user", 300) { provider, _, ids in
            var patch = SessionPatch()
            try patch.set("ada", for: .user)
            for id in ids { use(try provider.commit(patch, to: id, expecting: nil)) }
        },
        store("log-ins of one user at the cap", 300, cap: true) { provider, _, ids in
            for _ in ids { use(provider.create(.random(), try draft(user: "ada"))) }
        },
        store("log-ins of others at the cap, which one user fills", 300, user: "ada", cap: true) { provider, _, ids in
            for number in ids.indices { use(provider.create(.random(), try draft(user: "user \(number % 100)"))) }
        },
        store("rotating the sessions of one user", 300, user: "ada") { provider, _, ids in
            for id in ids { use(provider.rotate(SessionHandle(id), to: .random(), grace: .zero)) }
        },
        store("sweeping expired sessions", 2000) { provider, time, _ in
            time.advance(by: .seconds(10_000))
            use(provider.collect(limit: .max))
        },
        store("sweeping expired sessions of one user", 2000, user: "ada") { provider, time, _ in
            time.advance(by: .seconds(10_000))
            use(provider.collect(limit: .max))
        },
        store("sweeping sessions that were visited", 2000) { provider, time, ids in
            time.advance(by: .seconds(500))
            for id in ids { use(provider.touch(SessionHandle(id))) }
            time.advance(by: .seconds(600))
            use(provider.collect(limit: .max))
        },
        store("new sessions at the cap", 1000, cap: true) { provider, _, ids in
            for _ in ids { use(provider.create(.random(), try draft())) }
        },
    ]

private func draft(user: String? = nil) throws -> SessionDraft {
    SessionDraft(
        values: try SessionValues(user.map { [(.user, .string($0))] } ?? []), idleTimeout: .seconds(1000),
        absoluteTimeout: .seconds(100_000))
}

/// Work on a provider that holds as many sessions as the size says.
private func store(
    _ name: String, _ size: Int, user: String? = nil, cap: Bool = false,
    _ work: @escaping @Sendable (MemoryProvider, ManualSessionClock, [SessionID]) throws -> Void
) -> Shape {
    Shape("sessions in memory", name, size) { size in
        let time = ManualSessionClock()
        var configuration = MemoryProvider.Configuration()
        configuration.clock = time.clock
        configuration.collectsInBackground = false
        configuration.maximumSessions = cap ? size : 10_000_000
        configuration.maximumBytes = 1 << 40
        let provider = try MemoryProvider(configuration: configuration)
        let ids = try (0..<size).map { _ in
            let id = SessionID.random()
            use(provider.create(id, try draft(user: user)))
            return id
        }
        return { try work(provider, time, ids) }
    }
}
