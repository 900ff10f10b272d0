import Foundation
import GalletaPlatform
import TestSupport
import Testing

@testable import Passwords

@Suite("Password hashes")
struct PasswordHashTests {
    @Test(
        "a hash of each kind takes its password and no other",
        arguments: [
            "$2y$05$WTnaCMBSoalgvLCwv4XmXOPSkucTI/8PS.9dvB7p08ono/IaP7O.K",
            "$2b$05$n2l3PGC4AcWmQBHEecEjyeR08ASJunpzMZKGUDKgri19v4.W25cWq",
            "$2a$05$UubBCfa2TfFehSBsIzmE5O/hjH3I454oACoQnpZj2AXggJhMZzVHO",
            "$6$FasoVRO2eRIk/JUL$IGzkebG1lGKPf25sGZvO4vjjFSIiMQPxSfIzmnA7AD66C2GTwQacBpwmPTw0VbBiRUnw6iQgRjvkVx6iNCuD20",
            "$6$rounds=2000$abc$Z/IoF69o2Mn3//dd1nJT0vo92qnfGi2vR/PPR1quEmqQQckFN9CbgqryfNjiLWzKNyj8zrPRve1BZ9fcMIqIh/",
            "$5$rYKTDifa5qlMZwBo$iBkq1wgj8hSUQxZi3SJUOqiuVBlTfa9q1EZhKI5yiB5",
            "$5$abcd$zZA/0qLgoSH67pe3824tVxM.c9kUup4SAH1VanH0FR.",
            "$1$Sm4Nxokt$0cCUenWZie7J9tQhs1pIf1",
            "$y$j75$4xKcFWeVfXBl0OQUGT5p20$EmaBpqu2tT7DLNOcXzDy.ENHlBqjhVNmImCUAJpnDX7",
        ]
    )
    func matches(text: String) throws {
        let hash = try PasswordHash(text)
        #expect(hash.matches("pw"))
        for password in ["", "p", "pw ", "PW", "pw\0", "pw\0x", "\0pw", text, String(repeating: "pw", count: 1000)] {
            #expect(!hash.matches(ByteString(password)))
        }
    }

    @Test("a hash whose last character differs takes no password")
    func comparesAll() throws {
        #expect(try !PasswordHash("$1$Sm4Nxokt$0cCUenWZie7J9tQhs1pIf2").matches("pw"))
    }

    @Test("the memory of yescrypt's parameters is that of crypt_gensalt's costs 1 to 11")
    func yescrypt() throws {
        for (text, bytes) in [
            ("j75", 1 << 20), ("j85", 2 << 20), ("j7T", 4 << 20), ("j9T", 16 << 20), ("jBT", 64 << 20),
            ("jFT", 1 << 30),
        ] {
            #expect(try YescryptParameters(text.utf8)?.memoryBytes == bytes, "\(text)")
        }
        // Cut, foreign digits, N = 2, too many digits.
        for text in ["", "j", "j9", "j!T", "j.T", "jzzzzzzzzzz", "j9zzzzzz"] {
            #expect(try YescryptParameters(text.utf8) == nil, "\(text)")
        }
        // Of another flavour, with parallelism, more time or a ROM, or with more behind.
        for text in ["/9T", ".9T", "j9T/.", "j9T0.", "j9T5.", "j9T........"] {
            #expect(throws: PasswordError.self, "\(text)") { try YescryptParameters(text.utf8) }
        }
        #expect(try YescryptParameters("jUT".utf8)?.memoryBytes == .max)
    }

    @Test("hashes made by the tools of this machine are taken, or refused, as documented")
    func tools() throws {
        for (tool, arguments, isTaken) in [
            ("/usr/bin/htpasswd", ["-nbB", "u", "pä ss"], true), ("/usr/bin/htpasswd", ["-nb5", "u", "pä ss"], true),
            ("/usr/bin/htpasswd", ["-nb2", "u", "pä ss"], true), ("/usr/bin/htpasswd", ["-nbs", "u", "pä ss"], false),
            ("/usr/bin/htpasswd", ["-nbm", "u", "pä ss"], false), ("/usr/bin/htpasswd", ["-nbp", "u", "pä ss"], false),
            ("/usr/bin/openssl", ["passwd", "-6", "pä ss"], true),
            ("/usr/bin/openssl", ["passwd", "-5", "pä ss"], true),
            ("/usr/bin/openssl", ["passwd", "-1", "pä ss"], true),
            ("/usr/bin/openssl", ["passwd", "-apr1", "pä ss"], false),
            ("/usr/bin/mkpasswd", ["-m", "yescrypt", "pä ss"], true),
        ] where FileManager.default.isExecutableFile(atPath: tool) {
            let output = try run(tool, arguments)
            let line = output.hasPrefix("u:") ? output : "u:" + output
            guard isTaken else {
                #expect(throws: ConfigurationError.self, "\(tool) \(arguments)") {
                    try Htpasswd(bytes: Array(line.utf8), path: "x")
                }
                continue
            }
            let users = try Htpasswd(bytes: Array(line.utf8), path: "x")
            #expect(users.verify(user: "u", password: "pä ss") != nil, "\(tool) \(arguments)")
            #expect(users.verify(user: "u", password: "pa ss") == nil)
        }
    }

    private func run(_ tool: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let stream = try ChildStream()
        process.executableURL = URL(fileURLWithPath: tool)
        process.arguments = arguments
        process.standardOutput = stream.child
        process.standardError = FileHandle.nullDevice
        try process.run()
        try stream.child.close()
        let output = stream.own.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }
}
