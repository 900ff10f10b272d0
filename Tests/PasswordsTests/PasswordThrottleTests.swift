import GalletaPlatform
import Testing

@testable import Passwords

@Suite("The limit of wrong passwords")
struct PasswordThrottleTests {
    private let now = Locked(BootInstant(nanoseconds: 0))
    private let limiter: PasswordThrottle

    init() {
        limiter = PasswordThrottle { [now] in now.withLock { $0 } }
    }

    private func wrong(_ user: ByteString, _ address: String, browser: [UInt8]? = nil) -> Duration? {
        limiter.take(PasswordThrottle.Guess(user: user, address: address, browser: browser))
    }

    private func pass(_ duration: Duration) {
        now.withLock { $0 = $0.advanced(by: duration) }
    }

    @Test(
        "ten wrong passwords of a name from a network, then none for ten minutes since the first; others go on",
        arguments: [
            ("192.0.2.1", "192.0.2.200", "192.0.3.1"), ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
            ("::ffff:192.0.2.1", "192.0.2.9", "2001:db8::1"), ("unix:", "", "192.0.2.1"),
        ])
    func nameAndNetwork(one: String, same: String, other: String) {
        for _ in 0..<5 {
            #expect(wrong("ada", one) == nil)
            #expect(wrong("ada", same) == nil)
            pass(.seconds(10))
        }
        #expect(wrong("ada", one) == .seconds(550))
        #expect(wrong("ada", same) == .seconds(550))
        #expect(wrong("bob", one) == nil)
        #expect(wrong("ada", other) == nil)
        #expect(wrong("ADA", one) == nil)
        pass(.seconds(549))
        #expect(wrong("ada", one) == .seconds(1))
        pass(.seconds(1))
        #expect(wrong("ada", one) == nil)
    }

    @Test("a hundred wrong passwords of one network, whatever the names")
    func network() {
        for number in 0..<100 { #expect(wrong("user\(number)", "192.0.2.\(number)") == nil) }
        #expect(wrong("another", "192.0.2.1") == .seconds(600))
        #expect(wrong("another", "192.0.3.1") == nil)
    }

    @Test("a hundred wrong passwords of one name from many networks, then only browsers that are known")
    func name() {
        for number in 0..<100 { #expect(wrong("ada", "10.0.\(number).1") == nil) }
        #expect(wrong("ada", "10.0.200.1") == .seconds(600))
        // The owner's browser, from a network that guesses, too.
        for _ in 0..<10 { #expect(wrong("ada", "10.0.1.1", browser: [1]) == nil) }
        #expect(wrong("ada", "10.0.1.1", browser: [1]) == .seconds(600))
        #expect(wrong("ada", "10.0.1.1", browser: [2]) == nil)
        #expect(wrong("bob", "10.0.200.1") == nil)
    }

    @Test("other limits count from the next try on, in times that have begun, too; none that is out of range does")
    func change() throws {
        var limits = PasswordThrottle.Limits()
        (limits.perNameAndNetwork, limits.perNetwork, limits.perName) = (2, 3, 4)
        limits.period = .seconds(60)
        #expect(wrong("ada", "192.0.2.1") == nil)
        try limiter.change(to: limits)
        #expect(wrong("ada", "192.0.2.1") == nil)
        #expect(wrong("ada", "192.0.2.1") == .seconds(600))
        #expect(wrong("bob", "192.0.2.1") == nil)
        #expect(wrong("eve", "192.0.2.1") == .seconds(600))
        for number in 0..<4 { #expect(wrong("eve", "10.0.\(number).1") == nil) }
        #expect(wrong("eve", "10.0.9.1") == .seconds(60))
        let fields: [WritableKeyPath<PasswordThrottle.Limits, Int>] = [\.perNameAndNetwork, \.perNetwork, \.perName]
        for (field, name) in zip(fields, ["perNameAndNetwork", "perNetwork", "perName"]) {
            for count in [0, 1_000_001] {
                var bad = limits
                bad[keyPath: field] = count
                let error = #expect(throws: ConfigurationError.self) { try limiter.change(to: bad) }
                #expect(error?.field == name)
            }
        }
        limits.period = .seconds(86_401)
        #expect(throws: ConfigurationError.self) { try PasswordThrottle(limits: limits) }
        #expect(wrong("eve", "10.0.9.1") == .seconds(60))
    }

    @Test("what is taken back does not count, and what is refused counts nowhere")
    func takenBack() {
        let guess = PasswordThrottle.Guess(user: "ada", address: "192.0.2.1", browser: nil)
        for _ in 0..<300 {
            #expect(limiter.take(guess) == nil)
            limiter.takeBack(guess)
        }
        for _ in 0..<10 { #expect(limiter.take(guess) == nil) }
        for _ in 0..<300 { #expect(limiter.take(guess) != nil) }
        // Ten count for the name and for the network, not 310.
        #expect(wrong("ada", "192.0.3.1") == nil)
        #expect(wrong("bob", "192.0.2.1") == nil)
    }

    @Test("a try counts as wrong while it goes on, and no more once it was right or threw")
    func attempts() async throws {
        struct Failure: Error {}
        let address = "192.0.2.1"
        for _ in 0..<200 {
            #expect(try await limiter.attempt("ada", from: address) { 7 } == 7)
            await #expect(throws: Failure.self) {
                try await limiter.attempt("ada", from: address) { () -> Int? in throw Failure() }
            }
        }
        // Ten within each other: the innermost is the eleventh.
        func nested(_ depth: Int) throws -> Int? {
            try limiter.attempt("ada", from: address) { try nested(depth + 1) ?? depth }
        }
        let refusal = #expect(throws: PasswordError.self) { try nested(0) }
        #expect(refusal?.code == .throttled && refusal?.retryAfter == .seconds(600))
        for _ in 0..<10 { #expect(try await limiter.attempt("ada", from: address) { Int?.none } == nil) }
        await #expect(throws: PasswordError.self) { try await limiter.attempt("ada", from: address) { 7 } }
    }

    @Test("a check that says no counts as one that gives nothing")
    func yesOrNo() async throws {
        #expect(try limiter.attempt("ada", from: "192.0.2.1") { true })
        let no: @Sendable () async throws -> Bool = { false }
        for _ in 0..<5 {
            #expect(try await limiter.attempt("ada", from: "192.0.2.1", no) == false)
            #expect(try limiter.attempt("ada", from: "192.0.2.1") { false } == false)
        }
        await #expect(throws: PasswordError.self) { try await limiter.attempt("ada", from: "192.0.2.1", no) }
    }

    @Test("a flood of other names and networks does not reset a counter that is high")
    func eviction() {
        for number in 0..<100 { #expect(wrong("ada", "10.0.\(number).1") == nil) }
        for number in 0..<60_000 { _ = wrong("user\(number)", "1.\(number / 256).\(number % 256).1") }
        #expect(wrong("ada", "10.0.200.1") != nil)
    }
}
