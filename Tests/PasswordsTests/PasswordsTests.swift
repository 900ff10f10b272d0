import GalletaPlatform
import Logging
import Testing

@testable import Passwords

@Suite("Passwords")
struct PasswordsTests {
    private static let cheap = PasswordAlgorithm.bcrypt(cost: 4)

    private func passwords(_ algorithm: PasswordAlgorithm = cheap) throws -> Passwords {
        var configuration = Passwords.Configuration()
        configuration.algorithm = algorithm
        configuration.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try Passwords(configuration: configuration)
    }

    /// As a sync handler calls them, on its thread.
    private func verifySync(_ passwords: Passwords, _ password: String, _ hash: PasswordHash?) throws -> Bool {
        try passwords.verify(password, hash)
    }

    private func hashSync(_ passwords: Passwords, _ password: String) throws -> PasswordHash {
        try passwords.hash(password)
    }

    @Test(
        "a hash takes its password and no other, after it was kept as text, too",
        arguments: [(PasswordAlgorithm.yescrypt(), "$y$j9T$"), (.yescrypt(cost: 1), "$y$j75$"), (cheap, "$2y$04$")])
    func hashes(algorithm: PasswordAlgorithm, prefix: String) async throws {
        let passwords = try passwords(algorithm)
        for hash in [try await passwords.hash("pä ss"), try hashSync(passwords, "pä ss")] {
            #expect(hash.text.hasPrefix(prefix) && hash.text.utf8.count <= 128)
            let kept = try PasswordHash(hash.text)
            #expect(kept == hash)
            #expect(try await passwords.verify("pä ss", kept))
            #expect(try verifySync(passwords, "pä ss", kept))
            for wrong in ["", "pass", "pa\u{308} ss", "pä ss ", "pä ss\0"] {
                #expect(try await !passwords.verify(wrong, kept))
                #expect(try !verifySync(passwords, wrong, kept))
            }
        }
    }

    @Test("two hashes of one password have salts of their own")
    func salts() async throws {
        let passwords = try passwords()
        #expect(try await passwords.hash("pw") != passwords.hash("pw"))
    }

    @Test("a password that the algorithm would cut is refused before it is hashed, and is nobody's")
    func unfit() async throws {
        for (algorithm, longest) in [(Self.cheap, 72), (.yescrypt(cost: 1), 511)] {
            let passwords = try passwords(algorithm)
            let whole = String(repeating: "x", count: longest)
            let hash = try await passwords.hash(whole)
            #expect(try await passwords.verify(whole, hash))
            #expect(try await !passwords.verify(whole + "x", hash))
            for password in [whole + "x", "a\0b"] {
                let error = await #expect(throws: PasswordError.self) { try await passwords.hash(password) }
                #expect(error?.code == .unfit && error?.message.contains("\(longest) bytes") == true)
                #expect(throws: PasswordError.self) { try hashSync(passwords, password) }
            }
        }
    }

    @Test("a user who does not exist takes as long as one who does")
    func unknownUser() throws {
        // What is hashed is counted by the processor time of the thread that does it: the machine may be busy.
        let algorithm = PasswordAlgorithm.bcrypt(cost: 8)
        let hash = try PasswordHash.make("pw", algorithm).get()
        func cost(_ hash: PasswordHash?) throws -> UInt64 {
            let check = try passwords(algorithm).verification("wrong", hash)
            let start = threadTime()
            #expect(!check())
            return threadTime() - start
        }
        let known = try cost(hash)
        let unknown = try cost(nil)
        #expect(unknown > known / 2 && unknown < known * 2, "\(unknown), \(known)")
    }

    @Test("a hash of another kind or cost than new ones is to be made anew, one of the same is not")
    func rehash() async throws {
        let algorithms: [PasswordAlgorithm] = [
            Self.cheap, .bcrypt(cost: 5), .yescrypt(cost: 1), .yescrypt(cost: 2),
        ]
        for one in algorithms {
            let hash = try await passwords(one).hash("pw")
            for other in algorithms {
                #expect(try passwords(other).needsRehash(hash) == (one != other))
            }
        }
        let old = try PasswordHash("$1$Sm4Nxokt$0cCUenWZie7J9tQhs1pIf1")
        #expect(try passwords(.yescrypt()).needsRehash(old))
        // Other spellings of bcrypt are the same work.
        let spelt = try PasswordHash("$2b$05$n2l3PGC4AcWmQBHEecEjyeR08ASJunpzMZKGUDKgri19v4.W25cWq")
        #expect(try !passwords(.bcrypt(cost: 5)).needsRehash(spelt))
    }

    @Test("a wrong configuration is refused with the field's name")
    func configuration() throws {
        func field(_ change: (inout Passwords.Configuration) -> Void) -> String? {
            var configuration = Passwords.Configuration()
            change(&configuration)
            return #expect(throws: ConfigurationError.self) { try Passwords(configuration: configuration) }?.field
        }
        for cost in [0, 8, -1] { #expect(field { $0.algorithm = .yescrypt(cost: cost) } == "algorithm") }
        for cost in [3, 16] { #expect(field { $0.algorithm = .bcrypt(cost: cost) } == "algorithm") }
        #expect(field { $0.workers = 0 } == "workers")
        #expect(field { $0.maximumWaiting = -1 } == "maximumWaiting")
        #expect(field { $0.maximumBlockedThreads = 0 } == "maximumBlockedThreads")
        #expect(field { $0.timeout = .seconds(-1) } == "timeout")
        _ = try Passwords()
    }

    @Test("each cost that can be given makes hashes that are taken back")
    func costs() throws {
        for algorithm in [PasswordAlgorithm.yescrypt(cost: 7), .yescrypt(cost: 6), .bcrypt(cost: 10)] {
            let hash = try PasswordHash.make("pw", algorithm).get()
            #expect(hash.isMade(by: algorithm))
        }
    }

    @Test("errors say how they are answered: later for too many, never with more than the limit of bytes")
    func answers() {
        #expect(PasswordError.busy.answer == ErrorAnswer(status: 503, retryAfter: .seconds(5), isReported: true))
        #expect(
            PasswordError.throttled(.seconds(9)).answer
                == ErrorAnswer(status: 429, retryAfter: .seconds(9), isReported: true))
        #expect(
            PasswordError.unfit(maxBytes: 72).answer
                == ErrorAnswer(status: 400, message: "a password has at most 72 bytes here, and no NUL"))
        #expect(PasswordError.unusableHash("x").answer == ErrorAnswer(status: 500))
        #expect(PasswordError.failed("x").answer == ErrorAnswer(status: 500))
    }
}
