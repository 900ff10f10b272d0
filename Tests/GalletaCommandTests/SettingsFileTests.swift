import Foundation
import Sessions
import TestSupport
import Testing

@testable import GalletaCommand

@Suite("A file of settings")
struct SettingsFileTests {
    private func file(_ text: String) throws -> SettingsFile {
        try SettingsFile(path: "/etc/shop.conf", bytes: Array(text.utf8))
    }

    private func reader(_ text: String, environment: [String: String] = [:]) throws -> SettingReader {
        let reader = SettingReader(environment: ProcessEnvironment(overrides: environment))
        reader.file = try file(text)
        return reader
    }

    @Test("has a line for each, with comments and blanks as one likes")
    func lines() throws {
        let file = try file("# Workers\n\nworkers=8\n\t log-level =  info \r\nstate = /a b#c=d\nmount =\n")
        #expect(file.text(of: "workers") == "8" && file.text(of: "log-level") == "info")
        #expect(file.text(of: "state") == "/a b#c=d")
        #expect(file.text(of: "mount") == nil && file.text(of: "listen") == nil)
        #expect(file.field(of: "workers") == "/etc/shop.conf:3 workers")
    }

    @Test(
        "is refused with the number of the line and a remedy",
        arguments: [
            ("workers 8", "/etc/shop.conf:1: it has no \"=\"; write NAME = VALUE"),
            ("a = 1\nGALLETA_A = 8", "/etc/shop.conf:2: \"GALLETA_A\" is no setting's name; write the long option"),
            ("--workers = 8", "/etc/shop.conf:1: \"--workers\" is no setting's name"),
            ("= 8", "/etc/shop.conf:1: \"\" is no setting's name"),
            ("workers = 8\n# x\nworkers = 9", "/etc/shop.conf:3: workers is there twice, in line 1, too; leave one"),
            ("workers = 8\n\nstate = a\0b", "/etc/shop.conf:3: it is no text in UTF-8"),
        ])
    func faults(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try file(text) }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test("that is no UTF-8, no file, a folder or endless is refused")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        for path in [folder.path, folder.file("none"), "/dev/zero", "/dev/tty"] {
            let error = #expect(throws: ConfigurationError.self) { try SettingsFile(path: path) }
            #expect(error?.field == path)
        }
        try Data(repeating: 0x23, count: 1 << 21).write(to: URL(fileURLWithPath: folder.file("large")))
        #expect(throws: ConfigurationError.self) { try SettingsFile(path: folder.file("large")) }
        #expect(throws: ConfigurationError.self) { try SettingsFile(path: "x", bytes: [0x61, 0x3d, 0xff]) }
    }

    @Test("counts behind the command line and the environment, and errors name its line")
    func precedence() throws {
        let reader = try reader(
            "workers = 3\nmax-body = 3\nmax-head = 3k\nlisten = unix:/a, unix:/b\ndemo = on",
            environment: ["GALLETA_WORKERS": "2", "GALLETA_MAX_BODY": "2"])
        #expect(try reader.integer("1", "workers", default: 0) == 1)
        #expect(reader.field(of: "workers") == "--workers")
        #expect(try reader.size(nil, "max-body", default: 0) == 2)
        #expect(reader.field(of: "max-body") == "GALLETA_MAX_BODY")
        #expect(try reader.size(nil, "max-head", default: 0) == 3_072)
        #expect(reader.list([], "listen") == ["unix:/a", "unix:/b"])
        #expect(reader.list(["unix:/c"], "listen") == ["unix:/c"])
        #expect(try reader.flag(nil, "demo", default: false))
        #expect(try reader.integer(nil, "max-sessions", default: 7) == 7)
        let error = #expect(throws: ConfigurationError.self) { try reader.duration(nil, "max-head", default: .zero) }
        #expect(error?.field == "/etc/shop.conf:3 max-head")
    }

    @Test("has the words of a repeated option between blanks; the command line adds to them")
    func words() throws {
        let reader = try reader("session-option = a=1 b=2", environment: ["GALLETA_SESSION_OPTIONS": "b=3"])
        let words = reader.words(["c=4"], "session-option", variable: "session-options")
        #expect(words.map(\.text) == ["a=1", "b=2", "b=3", "c=4"])
        #expect(words[0].field == "/etc/shop.conf:1 session-option")
    }

    @Test("may have each long option, and no other name")
    func names() throws {
        let options = UnknownVariables.options.filter { $0 != "config" && $0 != "session-options" } + ["session-option"]
        let all = try reader(options.map { "\($0) = x\n" }.joined())
        try UnknownVariables.check(try #require(all.file), all, own: [])
        for (text, hint) in [
            ("worker = 8", "did you mean workers?"), ("config = /x", "is no setting"),
            ("session-options = a=1", "did you mean session-option?"), ("check-config = on", "is no setting"),
            ("# x\ncolour-of-the-sky = 8", "--help names all options"),
        ] {
            let reader = try reader(text)
            let error = #expect(throws: ConfigurationError.self) {
                try UnknownVariables.check(try #require(reader.file), reader, own: [])
            }
            #expect(error?.field == (text.hasPrefix("#") ? "/etc/shop.conf:2" : "/etc/shop.conf:1"))
            #expect(error?.description.contains(hint) == true)
        }
        let own = try reader("parcels = 8\ngreeting = hi")
        _ = own.text(nil, "parcels")
        try UnknownVariables.check(try #require(own.file), own, own: ["greeting"])
    }

    @Test("says of which names another one differs")
    func changes() throws {
        let (old, new) = (try file("a = 1\nb = 2\nc = 3\nd ="), try file("# moved\nb = 2\na = 9\ne = 1"))
        #expect(new.changes(from: old) == ["a", "c", "e"])
    }
}
