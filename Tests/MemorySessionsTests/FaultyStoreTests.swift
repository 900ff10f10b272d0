import MemorySessions
import Sessions
import SessionsTesting
import Testing

@Suite("The conformance suite and stores")
struct FaultyStoreTests {
    typealias Fault = FaultyStore.Fault

    private func fails(_ name: String, _ fault: Fault) throws -> Bool {
        let test = try #require(SessionProviderConformance.named(name), "there is no case \"\(name)\"")
        do {
            let outcome = try test.run { cap in
                var fixture = try MemoryConformanceTests.fixture(maximumSessions: cap)
                let store = FaultyStore(try #require(fixture.provider as? MemoryProvider), fault)
                fixture.provider = store
                fixture.outage = ConformanceFixture.Outage(
                    stop: { store.setDown(true) }, resume: { store.setDown(false) })
                return fixture
            }
            #expect(outcome == .passed)
            return false
        } catch is ConformanceFailure {
            return true
        }
    }

    /// The cases that must notice each fault, and one close to it that must not.
    private static let noticed: [(Fault, noticed: [String], unaffected: String)] = [
        (
            .mixesSessionsUp, ["a read of one session says nothing of another"],
            "a read of an unknown id finds nothing and creates nothing"
        ),
        (
            .keepsTheFirstKey, ["what is created is read", "many keys and a large value are kept"],
            "an id in use is refused, and its session is untouched"
        ),
        (.dropsNull, ["empty values and null are kept"], "keys and values of any characters are kept"),
        (.cutsTextAtNUL, ["keys and values of any characters are kept"], "each kind of value is kept exactly"),
        (.keepsNumbersAsDoubles, ["each kind of value is kept exactly"], "empty values and null are kept"),
        (
            .takesReservedKeysForOthers, ["a reserved key and an application's of the same name are two"],
            "each kind of value is kept exactly"
        ),
        (
            .expiredIDsStayInUse, ["an expired session is not in the way of a new one under its id"],
            "an id in use is refused, and its session is untouched"
        ),
        (
            .refusesTheRightVersion, ["the right version is committed"],
            "a patch sets its key and leaves the others"
        ),
        (.touchChangesTheVersion, ["a touch changes no version"], "a touch puts off the idle timeout"),
        (
            .takesAnyIDForReplaced, ["an unknown id, a live one and a destroyed one were never replaced"],
            "without grace the old id is dead at once"
        ),
        (
            .listsEveryUser, ["a user's sessions are listed, and no others", "users of any name are kept apart"],
            "a reference of nobody's making ends nothing"
        ),
        (.keysAreNormalized, ["keys that are canonically equivalent are two"], "many keys and a large value are kept"),
        (.keysAreUTF8, ["keys of any bytes are kept"], "keys that are canonically equivalent are two"),
        (
            .keysWithinValuesAreUTF8, ["keys within a value are kept, whatever their bytes"],
            "keys of any bytes are kept"
        ),
        (
            .usersAreNormalized, ["users of canonically equivalent names are two"],
            "users whose names are not UTF-8 are kept apart"
        ),
        (
            .usersAreUTF8, ["users whose names are not UTF-8 are kept apart"],
            "users of canonically equivalent names are two"
        ),
        (.usersAreLowercased, ["users of any name are kept apart"], "a user's sessions are listed, and no others"),
        (
            .takesAnyReference, ["a reference of nobody's making ends nothing"],
            "a user's sessions are listed, and no others"
        ),
        (
            .collectStopsAtTheLiving,
            [
                "a fresh session does not shield the expired ones behind it",
                "repeated collections drain a hundred thousand",
            ],
            "a collection of nothing removes nothing"
        ),
        (
            .evictsTheLivingFirst, ["at the cap the expired make room first"],
            "the idle timeout ends a session at its very instant"
        ),
        (
            .takesAnOutageForNoSession, ["a store that is down is an error in time, and comes back"],
            "a read of an unknown id finds nothing and creates nothing"
        ),
    ]

    @Test("finds that a second provider does not share the first one's store")
    func separateStores() throws {
        let test = try #require(
            SessionProviderConformance.named("two providers on one store see each other's changes"))
        let shared = try test.run { cap in
            var fixture = try MemoryConformanceTests.fixture(maximumSessions: cap)
            fixture.another = { [provider = fixture.provider] in provider }
            return fixture
        }
        #expect(shared == .passed)
        #expect(throws: ConformanceFailure.self) {
            try test.run { cap in
                var fixture = try MemoryConformanceTests.fixture(maximumSessions: cap)
                fixture.another = { try MemoryConformanceTests.fixture(maximumSessions: cap).provider }
                return fixture
            }
        }
    }

    @Test("finds what a store keeps wrongly, and only that", arguments: noticed)
    func finds(fault: Fault, names: [String], unaffected: String) throws {
        for name in names {
            #expect(try fails(name, fault), "\(fault) is not noticed by \"\(name)\"")
            #expect(try !fails(name, .none), "a sound provider fails \"\(name)\"")
        }
        #expect(try !fails(unaffected, fault))
    }

    @Test("has a test for each fault of a store")
    func complete() {
        #expect(Set(Self.noticed.map(\.0)) == Set(Fault.allCases).subtracting([.none]))
    }
}
