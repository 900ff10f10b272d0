import CCrypt
import Foundation
import GalletaPlatform
import Testing

@testable import Passwords

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
            #expect(users.verify(user: ByteString(user), password: "pw")?.user == ByteString(user))
            #expect(users.verify(user: ByteString(user), password: "pw2") == nil)
        }
        for user in ["", "Anna", "anna ", "anna:", "#", "# users", "carl", "u\u{308}nal x"] {
            #expect(users.verify(user: ByteString(user), password: "pw") == nil)
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
            ("\u{feff}anna:\(bcrypt)", "byte order mark"), ("\u{feff}", "byte order mark"),
            ("anna :\(bcrypt)", "blank"), (" anna:\(bcrypt)", "blank"), ("anna: \(bcrypt)", "blank"),
            ("anna:\(bcrypt) ", "not complete"), ("anna:$2y$16$\(bcrypt.dropFirst(7))", "cost 16"),
            ("anna:$2y$+5$\(bcrypt.dropFirst(7))", "not complete"),
            ("anna:$6$rounds=500001$salt$\(String(repeating: "a", count: 86))", "500001 rounds"),
            ("anna:$6$rounds=05000$salt$\(String(repeating: "a", count: 86))", "not complete"),
            ("anna:$5$sa lt$\(String(repeating: "a", count: 43))", "not complete"),
            ("anna:$gy$j9T$salt$\(String(repeating: "a", count: 43))", "$gy$"),
            ("anna:$7$CU..../....salt$\(String(repeating: "a", count: 43))", "$7$"),
            ("anna:$y$jCT$salt$\(String(repeating: "a", count: 43))", "128 MiB"),
            ("anna:$2y$18$\(bcrypt.dropFirst(7))", "cost 18"),
            ("anna:$2y$03$\(bcrypt.dropFirst(7))", "not complete"), ("anna:$2x$05$\(bcrypt.dropFirst(7))", "unknown"),
            ("anna:$6$salt$secret", "not complete"), ("anna:$6$rounds=9000000$salt$secret", "9000000 rounds"),
            ("anna:$md5$secret", "unknown"), ("anna:$", "plain text"), ("anna:$6", "plain text"),
            ("first:\(bcrypt)", "line 1 already"), (String(repeating: "a", count: 1025), "longer"),
        ]
    )
    func refuses(line: String, reason: String) throws {
        let error = try #require(
            #expect(throws: ConfigurationError.self) {
                try file("first:\(Self.bcrypt)\n\(line)\nlast:\(Self.bcrypt)\n")
            })
        #expect(error.description.hasPrefix("path: /etc/users, line 2: "))
        #expect(error.reason.contains(reason))
        #expect(!error.remedy.isEmpty)
        #expect(!error.description.contains("secret") && !error.description.contains("WTnaCMBSo"))
    }

    @Test("weak hashes are refused with the command that replaces them")
    func remedy() throws {
        let error = #expect(throws: ConfigurationError.self) { try file("anna:$apr1$AIl1GIXS$m1fMCuu8rSbL2alTCJI1B.") }
        #expect(error?.remedy == "set the password anew with: htpasswd -B /etc/users anna")
    }

    @Test("a user name that is no UTF-8 is refused")
    func refusesInvalidNames() {
        #expect(throws: ConfigurationError.self) {
            try Htpasswd(bytes: [0xff] + Array(":\(Self.bcrypt)".utf8), path: "x")
        }
    }

    @Test("a file without users is refused", arguments: ["", "\n\n", "# nobody\n"])
    func refusesEmpty(content: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try file(content) }
        #expect(
            error?.description == "path: /etc/users: it has no users; add one with: htpasswd -B /etc/users USER"
        )
    }

    @Test("a check takes the same time for known and unknown users, whatever kinds and costs the hashes are of")
    func hidesUsers() throws {
        // Cost 9 takes some 25 ms, the others less than one. CPU time, because the machine may be busy.
        let users = try file(
            """
            dear:$2y$09$\(Self.bcrypt.dropFirst(7))
            cheap:$1$Sm4Nxokt$0cCUenWZie7J9tQhs1pIf1
            salty:$1$Sm4$0cCUenWZie7J9tQhs1pIf1
            """)
        func cost(_ user: ByteString) -> UInt64 {
            let start = threadTime()
            _ = users.verify(user: user, password: "wrong")
            return threadTime() - start
        }
        let dear = cost("dear")
        for user in ["cheap", "salty", "nobody", "", "Dear", ByteString(String(repeating: "x", count: 10_000))] {
            let other = cost(user)
            #expect(other > dear / 2 && other < dear * 2, "\(user.string.prefix(10)): \(other), \(dear)")
        }
        #expect(users.verify(user: "cheap", password: "pw") != nil)
    }

    @Test("hashes of 16 kinds and costs are taken, more are refused with the line: a check does the work of all")
    func mixed() throws {
        let hash = String(repeating: "a", count: 86)
        let lines = (0..<16).map { "user\($0):$6$rounds=\(1000 + $0)$salt$\(hash)" }
        let users = try file(lines.joined(separator: "\n") + "\nlast:$6$rounds=1000$tlas$\(hash)")
        #expect(users.count == 17)
        let error = #expect(throws: ConfigurationError.self) {
            try file((lines + ["more:$6$salt$\(hash)"]).joined(separator: "\n"))
        }
        #expect(error?.reason.contains("line 17: ") == true)
        #expect(error?.remedy == "set the password anew with: htpasswd -B /etc/users more")
    }

    @Test("passwords over 72 bytes are refused for any name while the file has a bcrypt entry, and never cut")
    func longPasswords() throws {
        let long = String(repeating: "x", count: 73)
        // crypt(3)'s answer for the 72 and for the 73 bytes is the same.
        let cut = "$2y$04$abcdefghijklmnopqrstuu"
        let sha = "$5$rounds=1000$salt"
        let mixed = try file("bcrypt:\(try hash(cut, long))\nsha:\(try hash(sha, long))")
        #expect(mixed.maxPasswordBytes == 72)
        #expect(mixed.verify(user: "bcrypt", password: ByteString(String(long.dropLast()))) != nil)
        for user: ByteString in ["bcrypt", "sha", "nobody"] {
            #expect(mixed.verify(user: user, password: ByteString(long)) == nil)
        }
        let alone = try file("sha:\(try hash(sha, long))")
        #expect(alone.verify(user: "sha", password: ByteString(long)) != nil)
        #expect(alone.verify(user: "sha", password: ByteString(String(long.dropLast()))) == nil)
    }

    /// What crypt(3) makes of a password.
    private func hash(_ setting: String, _ password: String) throws -> String {
        var work = crypt_data()
        return String(cString: try #require(crypt_r(password, setting, &work)))
    }

    @Test("a credential's stamp stays with the entry, and is another one for each user and password")
    func stamps() throws {
        let other = "$2b$05$n2l3PGC4AcWmQBHEecEjyeR08ASJunpzMZKGUDKgri19v4.W25cWq"
        let before = try file("anna:\(Self.bcrypt)\nbob:\(Self.bcrypt)")
        let after = try file("carl:\(other)\nbob:\(Self.bcrypt):a comment\nanna:\(other)")
        let anna = try #require(before.credential(of: "anna"))
        let bob = try #require(before.credential(of: "bob"))
        #expect(anna.stamp.count == 16)
        #expect(anna.stamp != bob.stamp)
        #expect(after.credential(of: "bob")?.stamp == bob.stamp)
        #expect(after.credential(of: "anna")?.stamp != anna.stamp)
        #expect(after.credential(of: "nobody") == nil)
        #expect(before.verify(user: "anna", password: "pw")?.stamp == anna.stamp)
    }

    @Test("many threads verify at once")
    func concurrent() throws {
        let users = try file("anna:\(Self.bcrypt)\n")
        let wrong = Locked(0)
        DispatchQueue.concurrentPerform(iterations: 64) { index in
            let isRight = index.isMultiple(of: 2)
            let password: ByteString = isRight ? "pw" : "pw\(index)"
            if (users.verify(user: "anna", password: password) != nil) != isRight {
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
        let missing = #expect(throws: ConfigurationError.self) { try Htpasswd(path: directory + "/none") }
        #expect(missing?.description.contains("No such file") == true)
        #expect(missing?.remedy == "make it with: htpasswd -B -c \(directory)/none USER")
        let folder = #expect(throws: ConfigurationError.self) { try Htpasswd(path: directory) }
        #expect(folder?.reason == "\(directory): it is not a regular file")
        mkfifo(directory + "/fifo", 0o600)
        #expect(throws: ConfigurationError.self) { try Htpasswd(path: directory + "/fifo") }
        let line = "# \(String(repeating: "x", count: 1021))\n"
        let full = "anna:\(Self.bcrypt)\n" + String(repeating: line, count: 1024)
        let path = directory + "/users"
        try full.write(toFile: path, atomically: false, encoding: .utf8)
        let large = #expect(throws: ConfigurationError.self) { try Htpasswd(path: path) }
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
