import GalletaPlatform
import Sessions
import SessionsTesting
import Testing

@testable import MemorySessions

@Suite("A crafted state file")
struct SnapshotExtremesTests {
    private static let edge: Int64 = 1 << 62
    private static let stamps: [Int64] = [.min, -edge, -1, 0, 1, edge - 1, edge, .max]

    struct Moment: CustomStringConvertible, Sendable {
        var hasOwnClock: Bool
        var clock: Int64
        var wall: Int64
        var now: Int64
        var description: String { "\(hasOwnClock) \(clock) \(wall) at \(now)" }
    }

    static let moments: [Moment] = [false, true].flatMap { hasOwnClock in
        [0, edge - 1].flatMap { clock in
            [0, edge - 1].flatMap { wall in
                [0, 1, edge - 1, .max].map { Moment(hasOwnClock: hasOwnClock, clock: clock, wall: wall, now: $0) }
            }
        }
    }

    /// A session for each four stamps that the format allows.
    private static let sessions: [(id: SessionID, session: SnapshotSession)] = {
        var made: [(SessionID, SnapshotSession)] = []
        for created in stamps {
            for lastSeen in stamps {
                for idleTimeout in stamps {
                    for absoluteDeadline in stamps {
                        let id = MemoryKey.random()
                        let values = try? SessionValues([(.user, .string("ada")), (SessionKey("n"), .int(1))])
                        let slot = MemorySlot(
                            id: id, values: values ?? SessionValues(), created: created, lastSeen: lastSeen,
                            idleTimeout: idleTimeout, absoluteDeadline: absoluteDeadline, version: .max, kind: .user,
                            isSeen: true)
                        let session = SnapshotSession(slot, digest: IDDigest.of(id), serial: id.word3)
                        var bytes: [UInt8] = []
                        session.append(to: &bytes)
                        if bytes.withUnsafeBytes({ SnapshotSession($0) }) != nil {
                            made.append((SessionID(words: id), session))
                        }
                    }
                }
            }
        }
        return made
    }()

    @Test(
        "with times at the ends of their ranges is read, and its sessions are used, without a trap", arguments: moments)
    func extremes(_ moment: Moment) throws {
        let fixture = try SnapshotFixture()
        var encoder = SnapshotEncoder(
            SnapshotHeader(
                time: SnapshotTime(
                    hasOwnClock: moment.hasOwnClock, bootID: BootID(1, 2), clock: moment.clock, wall: moment.wall),
                mark: 7))
        for (_, session) in Self.sessions { encoder.append(session) }
        encoder.appendEnd()
        try fixture.write(encoder.output)

        let clock = ManualSessionClock(start: .nanoseconds(moment.now)).clock
        let provider = try fixture.start(clock: clock)
        let manager = try SessionManager(provider: provider)
        _ = provider.sessions(of: "ada", current: Self.sessions[0].id, limit: .max)
        _ = provider.sessions(of: "ada", current: Self.sessions[0].id, limit: 3)
        for (number, (id, _)) in Self.sessions.enumerated() {
            _ = provider.read(id)
            _ = provider.retirement(of: id)
            let session = manager.open(SessionIDCandidates(id), isSecure: true)
            _ = try (session.age, session.idle, session.remaining)
            if number % 2 == 0 { try session.set("k", number) }
            if number % 3 == 0 { try session.setLifetime(idleTimeout: .seconds(60)) }
            if number % 5 == 0 { try session.rotate() }
            _ = try session.commit()
            if number % 7 == 0 { _ = provider.touch(id) }
        }
        _ = provider.collect(limit: .max)
        _ = provider.destroySessions(of: "ada", except: nil, keeping: 10)
        provider.close()
        let second = try fixture.start(clock: clock)
        _ = second.sessions(of: "ada", current: nil, limit: .max)
        second.crash()
    }
}
