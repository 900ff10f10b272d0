import Foundation
import Sessions
import TestSupport
import Testing

@testable import RedisSessions

@Suite("The password for Redis")
struct RedisPasswordTests {
    @Test(
        "a file's line ends are cut off, and nothing else",
        arguments: [
            ("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"), (" se cret \n\n", " se cret "),
        ])
    func file(content: String, password: String) throws {
        let folder = try TemporaryFolder()
        try content.write(toFile: folder.file("password"), atomically: true, encoding: .utf8)
        #expect(try RedisPassword.file(path: folder.file("password")).read() == Array(password.utf8))
    }

    @Test(
        "nothing to read is an error that names field and file",
        arguments: [nil, "", "\n", String(repeating: "a", count: 4097)])
    func noFile(content: String?) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("password")
        try content?.write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: ConfigurationError.self) { try RedisPassword.file(path: path).check() }
        #expect(error?.field == "passwordFile")
        #expect(error?.description.contains("aaaa") == false)
    }

    @Test("settings that are printed do not show it")
    func printed() throws {
        let settings = RedisSettings(try RedisServers(url: "redis://user:secret@host"))
        var text =
            "\(settings) \(String(reflecting: settings)) \(settings.password) \(String(reflecting: settings.password))"
        dump(settings, to: &text)
        #expect(text.contains("user") && !text.contains("secret"))
    }

    @Test("an environment variable")
    func environment() throws {
        #expect(try RedisPassword.environment(name: "PATH").read() == Array(String(cString: getenv("PATH")).utf8))
        let error = #expect(throws: ConfigurationError.self) {
            try RedisPassword.environment(name: "NO_SUCH_THING").check()
        }
        #expect(error?.field == "passwordEnvironment")
    }
}
