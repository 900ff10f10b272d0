import GalletaPlatform
import MemorySessions
import Sessions
import Testing

@Suite("Requests of one visitor at once")
struct SessionConcurrencyTests {
    @Test("lose no atomic update", arguments: [(50, 1), (32, 50)])
    func updates(tasks: Int, each: Int) async throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    for _ in 0..<each {
                        let session = fixture.open(id)
                        _ = try session.update("n", default: 0) { $0 += 1 }
                        _ = try session.commit()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try fixture.open(id).get("n", as: Int.self) == tasks * each)
    }

    @Test("lose none of a thousand keys")
    func keys() async throws {
        let fixture = try SessionFixture { $0.limits.keys = 2_000 }
        let id = try fixture.begin()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<32 {
                group.addTask {
                    for key in stride(from: task, to: 1_000, by: 32) {
                        let session = fixture.open(id)
                        try session.set("key \(key)", key)
                        _ = try session.commit()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try fixture.open(id).keys.count == 1_001)
    }

    @Test("get one successor from ten rotations")
    func rotations() async throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let sessions = (0..<10).map { _ in fixture.open(id) }
        for session in sessions { _ = try session.keys }
        let ids = try await withThrowingTaskGroup(of: SessionID?.self) { group in
            for session in sessions {
                group.addTask {
                    try session.rotate()
                    return try session.commit().id
                }
            }
            return try await group.reduce(into: Set<SessionID?>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(fixture.provider.count() == 1)
    }

    @Test("may share one view with child tasks")
    func sharedView() async throws {
        let fixture = try SessionFixture()
        let session = fixture.open(try fixture.begin())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<16 {
                group.addTask {
                    try session.set("key \(task)", task)
                    _ = try session.update("n", default: 0) { $0 += 1 }
                    _ = try session.keys
                }
            }
            try await group.waitForAll()
        }
        #expect(try session.get("n", as: Int.self) == 16)
        _ = try session.commit()
        #expect(try session.keys.count == 18)
    }

    @Test("do not bring back a session that one of them ends")
    func destroyRace() async throws {
        let fixture = try SessionFixture()
        for _ in 0..<50 {
            let id = try fixture.begin()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try fixture.open(id).destroy() }
                for _ in 0..<3 {
                    group.addTask {
                        let session = fixture.open(id)
                        _ = try session.update("n", default: 0) { $0 += 1 }
                        #expect(session.discard().id == nil)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try fixture.provider.read(id) == nil)
        }
        #expect(fixture.provider.count() == 0)
    }
}
