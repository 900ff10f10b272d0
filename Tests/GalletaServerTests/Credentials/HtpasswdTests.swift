import Foundation
import GalletaPlatform
import Testing

@testable import GalletaServer

@Suite("Password files")
struct HtpasswdTests {
    private static let bcrypt = "$2y$05$WTnaCMBSoalgvLCwv4XmXOPSkucTI/8PS.9dvB7p08ono/IaP7O.K"

    private func file(_ content: String) throws -> Htpasswd {
        try Htpasswd(bytes: Array(content.utf8), path: "/etc/users")
    }

    @Test("users, comments, blank lines and both ends of lines are read")
    func parses() throws {
        let hash = Self.bcrypt
        let users = try file("# users\n\nanna:\(hash)\r\n \t\nbob:\(hash):a comment: here\nünal x:\(hash)")
        #expect(users.count == 3)
        for user in ["anna", "bob", "ünal x"] {
            #expect(users.verify(user: user, password: "pw"))
            #expect(!users.verify(user: user, password: "pw2"))
        }
        for user in ["", "Anna", "anna ", "anna:", "#", "# users", "carl", "u\u{308}nal x"] {
            #expect(!users.verify(user: user, password: "pw"))
        }
    }

    @Test(
        "a line that cannot be used is refused with its number and a remedy, and without its hash",
        arguments: [
            ("anna", "user:hash"), ("anna:", "no password hash"), (":\(bcrypt)", "user name"),
            ("\(String(repeating: "a", count: 256)):\(bcrypt)", "user name"), ("a\tb:\(bcrypt)", "user name"),
            ("anna:secret", "plain text"), ("anna:C58H.p0zlKp8A", "DES"),
            ("anna:{SHA}GpHWL3ymc5liWkNopqtdSjuqYHM=", "{SHA}"),
            ("anna:{PLAIN}secret", "{SHA}"), ("anna:$apr1$AIl1GIXS$m1fMCuu8rSbL2alTCJI1B.", "$apr1$"),
            ("anna:!", "no password hash"), ("anna:*", "no password hash"), ("anna:!\(bcrypt)", "no password hash"),
            ("anna:\(bcrypt.dropLast())", "not complete"), ("anna:\(bcrypt)x", "not complete"),
            ("anna:\(bcrypt) ", "not complete"), ("anna:$2y$18$\(bcrypt.dropFirst(7))", "cost 18"),
            ("anna:$2y$03$\(bcrypt.dropFirst(7))", "not complete"), ("anna:$2x$05$\(bcrypt.dropFirst(7))", "unknown"),
            ("anna:$6$salt$secret", "not complete"), ("anna:$6$rounds=9000000$salt$secret", "9000000 rounds"),
            ("anna:$md5$secret", "unknown"), ("anna:$", "plain text"), ("anna:$6", "plain text"),
            ("first:\(bcrypt)", "line 1 already"), (String(repeating: "a", count: 1025), "longer"),
        ]
    )
    func refuses(line: String, reason: String) throws {
        let error = try #require(
            #expect(throws: HtpasswdError.self) { try file("first:\(Self.bcrypt)\n\(line)\nlast:\(Self.bcrypt)\n") })
        #expect(error.line == 2)
        #expect(error.description.hasPrefix("--htpasswd /etc/users, line 2: "))
        #expect(error.reason.contains(reason))
        #expect(!error.remedy.isEmpty)
        #expect(!error.description.contains("secret") && !error.description.contains("WTnaCMBSo"))
    }

    @Test("weak hashes are refused with the command that replaces them")
    func remedy() throws {
        let error = #expect(throws: HtpasswdError.self) { try file("anna:$apr1$AIl1GIXS$m1fMCuu8rSbL2alTCJI1B.") }
        #expect(error?.remedy == "set the password anew with: htpasswd -B /etc/users anna")
    }

    @Test("a user name that is no UTF-8 is refused")
    func refusesInvalidNames() {
        #expect(throws: HtpasswdError.self) {
            try Htpasswd(bytes: [0xff] + Array(":\(Self.bcrypt)".utf8), path: "x")
        }
    }

    @Test("a file without users is refused", arguments: ["", "\n\n", "# nobody\n"])
    func refusesEmpty(content: String) throws {
        let error = #expect(throws: HtpasswdError.self) { try file(content) }
        #expect(
            error?.description == "--htpasswd /etc/users: it has no users; add one with: htpasswd -B /etc/users USER"
        )
    }

    @Test("a user who does not exist costs the work of one who does")
    func hidesUsers() throws {
        // Cost 9: some 25 ms, far above the microseconds of no work. CPU time, because the machine may be busy.
        let users = try file("anna:$2y$09$\(Self.bcrypt.dropFirst(7))\n")
        func cost(_ user: String) -> UInt64 {
            let start = threadTime()
            _ = users.verify(user: user, password: "wrong")
            return threadTime() - start
        }
        let known = cost("anna")
        for user in ["nobody", "", "Anna", String(repeating: "x", count: 10_000)] {
            let unknown = cost(user)
            #expect(unknown > known / 2 && unknown < known * 2)
        }
    }

    @Test("many threads verify at once")
    func concurrent() throws {
        let users = try file("anna:\(Self.bcrypt)\n")
        let wrong = Locked(0)
        DispatchQueue.concurrentPerform(iterations: 64) { index in
            let isRight = index.isMultiple(of: 2)
            if users.verify(user: "anna", password: isRight ? "pw" : "pw\(index)") != isRight {
                wrong.withLock { $0 += 1 }
            }
        }
        #expect(wrong.withLock { $0 } == 0)
    }

    @Test("files that cannot be read say why and what to do")
    func unreadable() throws {
        let directory = NSTemporaryDirectory() + "/galleta-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let missing = #expect(throws: HtpasswdError.self) { try Htpasswd(path: directory + "/none") }
        #expect(missing?.description.contains("No such file") == true)
        #expect(missing?.remedy == "make it with: htpasswd -B -c \(directory)/none USER")
        let folder = #expect(throws: HtpasswdError.self) { try Htpasswd(path: directory) }
        #expect(folder?.reason == "it is not a regular file")
        mkfifo(directory + "/fifo", 0o600)
        #expect(throws: HtpasswdError.self) { try Htpasswd(path: directory + "/fifo") }
        let line = "# \(String(repeating: "x", count: 1021))\n"
        let full = "anna:\(Self.bcrypt)\n" + String(repeating: line, count: 1024)
        let path = directory + "/users"
        try full.write(toFile: path, atomically: false, encoding: .utf8)
        let large = #expect(throws: HtpasswdError.self) { try Htpasswd(path: path) }
        #expect(large?.reason.contains("larger") == true)
        try String(full.prefix(1 << 20)).write(toFile: path, atomically: false, encoding: .utf8)
        #expect(try Htpasswd(path: path).count == 1)
    }

    @Test(
        "a file that every local user can read is noticed", arguments: [(0o640, false), (0o644, true), (0o604, true)])
    func worldReadable(mode: Int, isWorldReadable: Bool) throws {
        let path = NSTemporaryDirectory() + "/galleta-\(UUID().uuidString)"
        defer { unlink(path) }
        try "anna:\(Self.bcrypt)\n".write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, mode_t(mode))
        #expect(try Htpasswd(path: path).isWorldReadable == isWorldReadable)
    }
}

/// CPU time of the calling thread in nanoseconds.
private func threadTime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
