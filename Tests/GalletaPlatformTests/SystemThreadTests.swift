import GalletaPlatform
import Testing

@Suite struct SystemThreadTests {
    private final class Thing: Sendable {}

    @Test func whatItHasDoneIsLetGoOfThoughTheThreadIsKept() throws {
        weak var thing: Thing?
        let thread: SystemThread
        do {
            let own = Thing()
            thing = own
            thread = try SystemThread(name: "test") { withExtendedLifetime(own) {} }
        }
        #expect(thread.join(timeout: .seconds(60)))
        #expect(thing == nil)
        withExtendedLifetime(thread) {}
    }
}
