import Foundation
import RedisSessions
import Sessions
import TestSupport
import Testing

@Suite("What Redis holds", .blocking)
struct RedisEncodingTests {
    private static let article = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent(
            "Sources/RedisSessions/RedisSessions.docc/WhatRedisHolds.md")

    @Test("is read by the article's Python, value by value")
    func python() throws {
        let fixtures = try RedisFixtures()
        let configuration = fixtures.configuration()
        let provider = try RedisProvider(configuration: configuration)
        let values: [(SessionKey, SessionValue)] = [
            (SessionKey("null"), .null), (SessionKey("yes"), .bool(true)), (SessionKey("no"), .bool(false)),
            (SessionKey("int"), .int(-1_234_567)), (SessionKey("large"), .int(.max)), (SessionKey("small"), .int(.min)),
            (SessionKey("double"), .double(-0.1)), (SessionKey("text"), .string("\u{e9}\u{1f36a}")),
            (SessionKey("bytes"), .bytes([0, 255])), (SessionKey("array"), [1, "two", [true, nil]]),
            (SessionKey("object"), ["a": 1, "b": ["c": "d"]]),
            (SessionKey("opaque"), .opaque(SessionOpaqueValue(typeName: "Cart", bytes: [1, 2]))),
            (.user, .string("ada")),
        ]
        guard
            case .created = try provider.create(
                .random(),
                SessionDraft(
                    values: try SessionValues(values), idleTimeout: .seconds(60), absoluteTimeout: .seconds(60)))
        else {
            Issue.record("not created")
            return
        }
        let text = try String(contentsOf: Self.article, encoding: .utf8)
        let code = try #require(
            text.components(separatedBy: "```python\n").dropFirst().first?.components(separatedBy: "```")[0])
        let script = fixtures.server.folder.file("read.py")
        // Enough of the protocol for one command, as Debian's Python has no client.
        try
            (code + """

                import socket, sys
                link = socket.socket(socket.AF_UNIX)
                link.connect(sys.argv[1])
                def ask(*words):
                    link.sendall(b"*%d\\r\\n" % len(words) + b"".join(b"$%d\\r\\n%s\\r\\n" % (len(w), w) for w in words))
                stream = link.makefile("rb")
                def reply():
                    line = stream.readline()
                    if line[:1] == b"*":
                        return [reply() for _ in range(int(line[1:]))]
                    if line[:1] == b"$":
                        found = stream.read(int(line[1:]))
                        stream.read(2)
                        return found
                    return line[1:-2]
                ask(b"KEYS", sys.argv[2].encode() + b"*")
                key = reply()[0]
                ask(b"HGETALL", key)
                found = reply()
                for field, data in sorted(zip(found[::2], found[1::2])):
                    if field[:1] in b"=!":
                        print(field.decode(), value(data)[0])

                """).write(toFile: script, atomically: true, encoding: .utf8)
        let result = try ChildProcess.run(
            "python3", [script, fixtures.server.socket, "{\(configuration.name)}:s:"],
            environment: ["PYTHONIOENCODING": "utf-8"])
        #expect(
            result.output == """
                !user ada
                =array [1, 'two', [True, None]]
                =bytes b'\\x00\\xff'
                =double -0.1
                =int -1234567
                =large 9223372036854775807
                =no False
                =null None
                =object {b'a': 1, b'b': {b'c': 'd'}}
                =opaque (b'Cart', b'\\x01\\x02')
                =small -9223372036854775808
                =text \u{e9}\u{1f36a}
                =yes True

                """)
    }

    @Test("needs the permissions that the article names, and no others")
    func permissions() throws {
        let text = try String(
            contentsOf: Self.article.deletingLastPathComponent().appendingPathComponent("ManyMachines.md"),
            encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("user galleta on") })
        let named = line.split(separator: " ").filter { $0.hasPrefix("+") || $0.hasPrefix("-") }.map(String.init)
        #expect(named == RedisProviderTests.permissions.filter { $0.hasPrefix("+") || $0.hasPrefix("-") })
    }

    @Test("has options that the article names, each")
    func options() throws {
        let text = try String(
            contentsOf: Self.article.deletingLastPathComponent().appendingPathComponent("ManyMachines.md"),
            encoding: .utf8)
        RedisProvider.register()
        let error = #expect(throws: ConfigurationError.self) {
            try SessionProviders.make("redis", options: SessionProviderOptions(parameters: ["nonsense": ""]))
        }
        let list = try #require(error?.remedy.components(separatedBy: "give one of ").last)
        for name in list.components(separatedBy: ", ") {
            #expect(text.contains("`\(name)`"), "\(name)")
        }
    }
}
