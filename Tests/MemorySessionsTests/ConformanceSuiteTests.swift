import MemorySessions
import Sessions
import SessionsTesting
import Testing

@Suite("The conformance suite")
struct ConformanceSuiteTests {
    typealias Fault = FaultyProvider.Fault

    /// Whether a provider with this fault fails the case.
    static func fails(_ name: String, _ fault: Fault) throws -> Bool {
        let test = try #require(SessionProviderConformance.named(name), "there is no case \"\(name)\"")
        do {
            try test.run { cap in
                var fixture = try MemoryConformanceTests.fixture(maximumSessions: cap)
                fixture.provider = FaultyProvider(fixture.provider as! MemoryProvider, fault)
                return fixture
            }
            return false
        } catch {
            #expect(error is ConformanceFailure)
            return true
        }
    }

    /// The cases that must notice each fault. Not those that need luck: what threads meet by chance is for the sound
    /// provider, under the thread sanitizer.
    static let noticed: [(Fault, [String])] = [
        (
            .adoptsUnknownIDs,
            ["a read of an unknown id finds nothing and creates nothing", "a commit to an unknown id creates nothing"]
        ),
        (
            .createOverwrites,
            ["an id in use is refused, and its session is untouched", "of parallel creations under one id one wins"]
        ),
        (
            .readTouches,
            ["a read does not put off the end", "a record tells its age, its rest and what remains of it"]
        ),
        (
            .commitRevives,
            [
                "a commit after the session was destroyed brings nothing back",
                "a commit after the end brings nothing back",
                "an ended session is not brought back by a request under way",
            ]
        ),
        (
            .commitUpsertsTheWhole,
            [
                "a patch sets its key and leaves the others", "two requests that change different keys both win",
                "a patch is made on the record as it is, not as it was read",
                "a thousand keys from 32 threads are all kept",
            ]
        ),
        (
            .commitIgnoresVersions,
            [
                "a stale version is a conflict, which shows the record and changes nothing"
            ]
        ),
        (
            .commitKeepsTheVersion,
            ["each change of a value changes the version, and no version comes twice"]
        ),
        (.commitAlwaysTouches, ["a commit is no visit unless it says so"]),
        (
            .commitIgnoresLimits,
            ["a patch over the limit of bytes changes nothing", "a patch over the limit of keys changes nothing"]
        ),
        (
            .commitForgetsRemovals,
            [
                "a patch removes its key and leaves the others",
                "of two changes to one key in a patch the last counts",
            ]
        ),
        (
            .commitIgnoresLifetimes,
            [
                "a commit with a lifetime changes both timeouts, counted from the beginning",
                "a lifetime stays over touches and rotations", "a shorter lifetime ends the session sooner",
                "a lifetime that is over already ends the session",
            ]
        ),
        (.commitKeepsEmptied, ["a commit that leaves nothing removes the session"]),
        (
            .touchPassesTheAbsoluteTimeout,
            [
                "a touch never passes the absolute timeout",
                "the absolute timeout ends a session at its very instant", "a touch tells what remains",
            ]
        ),
        (
            .touchDropsValues,
            ["a touch keeps what was written since the read"]
        ),
        (
            .touchNeverFails,
            ["a touch of an unknown, destroyed or expired session is gone and creates nothing"]
        ),
        (
            .expiryIsInclusive,
            ["the idle timeout ends a session at its very instant", "nothing works on an expired session"]
        ),
        (
            .destroyLies,
            [
                "what is destroyed is gone, a second time there is nothing, and others stay",
                "to destroy an unknown id is no error", "of parallel destructions one finds the session",
            ]
        ),
        (.destroyMissesOldIDs, ["to destroy by the old id in its grace ends the session"]),
        (.rotateLeavesTheOldID, ["without grace the old id is dead at once"]),
        (
            .rotateIgnoresGrace,
            ["within its grace the old id leads to the new one, and then it is dead"]
        ),
        (
            .rotateTwice,
            [
                "ten rotations at once give one successor",
                "rotations of an old id in its grace name the one successor",
            ]
        ),
        (.rotateTakesUsedIDs, ["a rotation onto an id in use is refused, and both sessions are untouched"]),
        (
            .outcomesHideTheSuccessor,
            [
                "a touch and a commit by the old id reach the session and name its id",
                "a conflict by the old id names the session's id",
                "an id that was replaced twice leads to the last one",
            ]
        ),
        (.listForgetsLogIns, ["a log-in puts a session into the list, a log-out takes it off"]),
        (.listIsUnsorted, ["the list begins with the session last seen"]),
        (.listMarksNobody, ["the list marks the session that asks, by its old id as well"]),
        (.listShowsIDs, ["references differ, and none is the text of an id"]),
        (.revokeIgnoresTheUser, ["one session is ended by its reference, once, and only for its user"]),
        (
            .revokeAllSparesNobody,
            [
                "all sessions of a user end but the one that is spared",
                "the session that is spared may be named by its old id",
            ]
        ),
        (
            .listIgnoresItsLimit,
            ["a list has no more than its limit, the sessions last seen, and tells how many there are"]
        ),
        (
            .listCountsWhatItShows,
            ["a list has no more than its limit, the sessions last seen, and tells how many there are"]
        ),
        (.listCutsTheExpiredTooLate, ["expired sessions take no place in a list with a limit"]),
        (
            .listCutsTheCaller,
            ["the session that asks is in a list with a limit, however long ago it was seen"]
        ),
        (
            .revokeKeepsTheOldest,
            ["of a user's sessions those last seen are kept, as many as are wanted beside the spared one"]
        ),
        (.revokeKeepsTheExpired, ["expired sessions are not among those that are kept"]),
        (.revokeAllCountsWrong, ["all sessions of a user end but the one that is spared"]),
        (.collectIgnoresItsLimit, ["a collection takes the expired only, and no more than its limit"]),
        (
            .collectTakesTheLiving,
            ["a collection of nothing removes nothing"]
        ),
        (
            .neverFull,
            [
                "a user's session never makes room for an anonymous one, which is refused then",
                "nobody loses the only session for a log-in, which is refused then",
            ]
        ),
        (.evictsUsers, ["a user's session never makes room for an anonymous one, which is refused then"]),
        (
            .refusesLogIns,
            [
                "for a log-in the user who holds most loses the session least recently seen",
                "one user who logs in again and again takes no place from others",
            ]
        ),
        (
            .evictsTheOldestOfAll,
            [
                "for a log-in the user who holds most loses the session least recently seen",
                "one user who logs in again and again takes no place from others",
            ]
        ),
        (.evictsTheOnlySession, ["nobody loses the only session for a log-in, which is refused then"]),
        (.countsOldIDs, ["sessions are counted, old ids are not"]),
        (.countsAllAsUsers, ["sessions with a user are counted apart, whatever becomes of them"]),
        (.answersOutOfOrder, ["each of a request's ids is answered, in their order"]),
        (
            .listOfAllEndsEarly,
            ["a list of all sessions has each that was there, whatever the size of its pages"]
        ),
        (
            .forgetsReplacedIDs,
            ["a replaced id is remembered after its grace", "an id that a log-in replaced is remembered"]
        ),
    ]

    @Test("finds each fault that other libraries have had", arguments: noticed)
    func finds(fault: Fault, names: [String]) throws {
        for name in names {
            // Some are a matter of luck: threads that do not meet show nothing.
            let isNoticed = try (0..<5).contains { _ in try Self.fails(name, fault) }
            #expect(isNoticed, "\(fault) is not noticed by \"\(name)\"")
            #expect(try !Self.fails(name, .none), "a sound provider fails \"\(name)\"")
        }
        // The rest of the contract stands: the suite says which part is broken.
        let unaffected = "keys and values of any characters are kept"
        #expect(try !Self.fails(unaffected, fault))
    }

    @Test("has a test for each fault")
    func complete() {
        #expect(Set(Self.noticed.map(\.0)) == Set(Fault.allCases).subtracting([.none]))
    }

    @Test("says what a fixture lacks in place of passing")
    func skips() throws {
        let test = try #require(SessionProviderConformance.named("the store holds no id as it stands"))
        let outcome = try test.run { try MemoryConformanceTests.fixture(maximumSessions: $0) }
        #expect(outcome == .skipped("the bytes of the store (storedBytes)"))
    }

    @Test("has cases of different names, at least a hundred")
    func names() {
        let names = SessionProviderConformance.cases.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.count >= 100)
    }
}
