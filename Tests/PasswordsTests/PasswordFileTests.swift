import Foundation
import GalletaPlatform
import Logging
import TestSupport
import Testing

@testable import Passwords

@Suite("A password file that changes")
struct PasswordFileTests {
    private static let pw = "$2y$05$WTnaCMBSoalgvLCwv4XmXOPSkucTI/8PS.9dvB7p08ono/IaP7O.K"
    private static let other = "$1$Sm4Nxokt$0cCUenWZie7J9tQhs1pIf1"

    /// Keeps what is logged.
    private struct Lines: LogHandler {
        let lines: Locked<[String]>
        var logLevel = Logger.Level.info
        var metadata = Logger.Metadata()

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.withLock { $0.append("\(event.level) \(event.message)") }
        }
    }

    private let folder: TemporaryFolder
    private let path: String
    private let lines = Locked<[String]>([])
    private let logger: Logger

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("users")
        logger = Logger(label: "test") { [lines] _ in Lines(lines: lines) }
    }

    /// As an editor does, by another file in its place.
    private func write(_ content: String) throws {
        try content.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// The file is old enough to be taken for whole.
    private func isSettled() -> Bool {
        var status = stat()
        var now = timespec()
        guard stat(path, &status) == 0 else { return false }
        clock_gettime(CLOCK_REALTIME, &now)
        let age = Double(now.tv_sec - status.st_mtim.tv_sec) + Double(now.tv_nsec - status.st_mtim.tv_nsec) / 1e9
        return age > 0.4
    }

    private func hasLogged(_ text: String) -> Bool {
        lines.withLock { $0.contains { $0.contains(text) } }
    }

    @Test("a change is seen by the next look, with nothing to be told")
    func changes() throws {
        try write("ada:\(Self.pw)\n")
        let file = try PasswordFile(path: path, logger: logger)
        let stamp = try #require(file.credential(of: "ada")).stamp
        try write("bob:\(Self.pw)\nada:\(Self.other)\n")
        #expect(eventually { file.credential(of: "bob") != nil })
        #expect(file.credential(of: "ada").map { $0.stamp != stamp } == true)
        try write("bob:\(Self.pw)\n")
        #expect(eventually { file.credential(of: "ada") == nil })
        #expect(file.verify(user: "bob", password: "pw") != nil)
        #expect(hasLogged("notice the password file was read again"))
    }

    @Test("a session goes on as long as its user has the password of its log-in; one that was told no stamp does not")
    func isCurrent() throws {
        try write("ada:\(Self.pw)\nbob:\(Self.pw)\n")
        let file = try PasswordFile(path: path, logger: logger)
        let check: @Sendable (ByteString, [UInt8]?) -> Bool = file.isCurrent
        let ada = try #require(file.credential(of: "ada")).stamp
        let bob = try #require(file.credential(of: "bob")).stamp
        #expect(check("ada", ada) && check("bob", bob))
        #expect(!check("ada", bob) && !check("ada", nil) && !check("nobody", nil) && !check("nobody", ada))
        try write("ada:\(Self.other)\n")
        try file.reload()
        #expect(!check("ada", ada) && !check("bob", bob))
    }

    @Test("a check by the file's own queue takes the right password only, for handlers of both kinds")
    func checks() async throws {
        try write("ada:\(Self.pw)\nbob:\(Self.other)\n")
        let file = try PasswordFile(path: path, logger: logger)
        #expect(file.count == 2 && file.maxPasswordBytes == 72)
        func checkSync(_ user: String, _ password: String) throws -> Credential? { try file.verify(user, password) }
        for user in ["ada", "bob"] {
            #expect(try await file.verify(user, "pw")?.user == ByteString(user))
            #expect(try checkSync(user, "pw")?.stamp == file.credential(of: ByteString(user))?.stamp)
            #expect(try await file.verify(user, "pw2") == nil)
            #expect(try checkSync(user, "") == nil)
        }
        #expect(try await file.verify("Ada", "pw") == nil)
        #expect(try await file.verify("ada", String(repeating: "x", count: 73)) == nil)
    }

    @Test("a credential of a hash that was kept elsewhere has the stamp of the file's")
    func ownStore() throws {
        try write("ada:\(Self.pw)\n")
        let file = try PasswordFile(path: path, logger: logger)
        let own = Credential(user: "ada", hash: try PasswordHash(Self.pw))
        #expect(own.stamp == file.credential(of: "ada")?.stamp)
        #expect(own.stamp != Credential(user: "ada", hash: try PasswordHash(Self.other)).stamp)
    }

    @Test("a file that was changed is not read twice, and one that was not is not read again")
    func unchanged() throws {
        try write("ada:\(Self.pw)\n")
        let file = try PasswordFile(path: path, passwords: Passwords(), logger: logger, interval: .zero)
        try write("ada:\(Self.pw)\nbob:\(Self.pw)\n")
        #expect(eventually { file.credential(of: "bob") != nil })
        // Once it has been read when it was no longer young, no look reads it again.
        #expect(eventually { isSettled() })
        _ = file.credential(of: "bob")
        for _ in 0..<1000 { #expect(file.credential(of: "bob") != nil) }
        #expect(lines.withLock { $0.count { $0.contains("read again") } } <= 2)
    }

    @Test(
        "one that is broken, empty, missing or unreadable keeps the users of before, and the log says why",
        arguments: [
            ("ada:secret\n", "line 1"), ("", "it has no users"), (nil, "cannot open it"), ("folder", "regular file"),
            ("\u{feff}ada:\(pw)\n", "byte order mark"),
        ])
    func broken(content: String?, reason: String) throws {
        try write("ada:\(Self.pw)\n")
        let file = try PasswordFile(path: path, logger: logger)
        unlink(path)
        switch content {
        case "folder": mkdir(path, 0o700)
        case let content?: try write(content)
        case nil: break
        }
        #expect(eventually { file.credential(of: "ada") != nil && hasLogged(reason) })
        #expect(hasLogged("error the password file cannot be used; the users of before stay: \(path)"))
        #expect(!lines.withLock { $0.contains { $0.contains("secret") } })
        #expect(file.verify(user: "ada", password: "pw") != nil)
        #expect(throws: ConfigurationError.self) { try file.reload() }
        #expect(file.credential(of: "ada") != nil)
        rmdir(path)
        try write("bob:\(Self.pw)\n")
        #expect(eventually { file.credential(of: "bob") != nil })
        #expect(file.credential(of: "ada") == nil)
    }

    @Test("the same file is taken again after its folder was away for a while")
    func away() throws {
        let place = folder.file("place")
        mkdir(place, 0o700)
        try "ada:\(Self.pw)\n".write(toFile: place + "/users", atomically: true, encoding: .utf8)
        let file = try PasswordFile(path: place + "/users", logger: logger)
        // It was too young at the start, and is read once more.
        #expect(eventually { file.credential(of: "ada") != nil && hasLogged("read again") })
        rename(place, place + ".away")
        #expect(eventually { file.credential(of: "ada") != nil && hasLogged("cannot open it") })
        lines.withLock { $0 = [] }
        rename(place + ".away", place)
        #expect(eventually { file.credential(of: "ada") != nil && hasLogged("read again") })
    }

    @Test("a reload reads at once, however young the change is")
    func reload() throws {
        try write("ada:\(Self.pw)\n")
        let file = try PasswordFile(path: path, logger: logger)
        for round in 0..<20 {
            try write("user\(round):\(Self.pw)\n")
            try file.reload()
            #expect(file.credential(of: "user\(round)") != nil)
            #expect(file.credential(of: "ada") == nil)
        }
    }

    @Test(
        "a file whose time is far from now is read, and a change of it seen",
        arguments: [9_300_000_000, 15_000_000_000, -2_000_000_000, -9_300_000_000, Int.max, Int.min])
    func farTimes(seconds: Int) throws {
        // Where the file system keeps no such time it takes the nearest that it keeps.
        func setTime() {
            let times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 999_999_999)]
            #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
        }
        try write("ada:\(Self.pw)\n")
        setTime()
        let file = try PasswordFile(path: path, passwords: Passwords(), logger: logger, interval: .zero)
        #expect(file.credential(of: "ada") != nil)
        try write("bob:\(Self.pw)\n")
        setTime()
        #expect(eventually { file.credential(of: "bob") != nil })
    }

    @Test("a file that is written bit by bit is read when it is whole: nobody is logged out by half of it")
    func torn() throws {
        let all = (0..<200).map { "user\($0):\(Self.pw)\n" }
        try write(all.joined())
        let file = try PasswordFile(path: path, passwords: Passwords(), logger: logger, interval: .zero)
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try output.truncate(atOffset: 0)
        for line in all {
            try output.write(contentsOf: Data(line.utf8))
            #expect(file.credential(of: "user199") != nil)
        }
        try output.write(contentsOf: Data("last:\(Self.pw)\n".utf8))
        try output.close()
        #expect(eventually { file.credential(of: "last") != nil })
    }
}
