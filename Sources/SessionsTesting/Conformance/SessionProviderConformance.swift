/// The contract of `SessionProvider` as a suite of cases that any provider can run.
///
/// With Swift Testing, in a test target that depends on `SessionsTesting`:
///
///     import SessionsTesting
///     import Testing
///
///     @Suite("My provider")
///     struct MyProviderTests {
///         @Test("conforms", arguments: SessionProviderConformance.cases)
///         func conforms(_ test: ConformanceCase) throws {
///             try test.run { _ in
///                 let time = ManualSessionClock()
///                 return ConformanceFixture(provider: MyProvider(clock: time.clock), time: time)
///             }
///         }
///     }
///
/// With XCTest, call `run` in a loop. A case that needs what the fixture has not, a second provider on one store, say, is
/// skipped; `run` says so in its outcome.
public enum SessionProviderConformance {
    /// All cases, in the order of the contract. Each is independent of the others and wants an empty store.
    public static let cases: [ConformanceCase] =
        reading + finding + creating + naming + committing + lifetimes + concurrency + touching + expiry + destroying
        + rotating
        + replacedIDs + users + revocation + collecting + caps + counting + listing + sharedStores

    /// The case of this name.
    public static func named(_ name: String) -> ConformanceCase? {
        cases.first { $0.name == name }
    }
}
