internal import GalletaPlatform
internal import Passwords

let credentialShapes: [Shape] = [
    file("users", 300) { "user\($0):$1$Sm4Nxokt$0cCUenWZie7J9tQhs1pIf1\n" },
    file("users of one long beginning", 100) {
        "\(String(repeating: "a", count: 240))\($0):$1$Sm4Nxokt$0cCUenWZie7J9tQhs1pIf1\n"
    },
    file("empty lines", 20_000) { _ in "\n" },
    file("comments", 500) { "# \($0) \(String(repeating: ":$", count: 400))\n" },
    file("dollar signs in a comment behind the hash", 100) {
        "user\($0):$1$Sm4Nxokt$0cCUenWZie7J9tQhs1pIf1:\(String(repeating: "$:", count: 400))\n"
    },
    refused("a line of colons") { String(repeating: ":", count: $0) },
    refused("a line of dollar signs") { "a:" + String(repeating: "$", count: $0) },
    Shape("known browsers", "tokens of nobody", 500) { size in
        let token = String(repeating: "A", count: 43)
        let header = KnownBrowsers.cookieName + "=" + Array(repeating: token, count: size).joined(separator: ".")
        let ada = Credential(user: "ada", entry: "entry".utf8)
        return { use(KnownBrowsers.token(for: ada, among: KnownBrowsers.tokens(inCookie: header))) }
    },
    Shape("known browsers", "dots", 20_000) { size in
        let header = KnownBrowsers.cookieName + "=" + String(repeating: "A.", count: size)
        return { use(KnownBrowsers.tokens(inCookie: header)) }
    },
    Shape("known browsers", "cookies", 2_000) { size in
        let header = String(repeating: "\(KnownBrowsers.cookieName)x=1; ", count: size)
        return { use(KnownBrowsers.tokens(inCookie: header)) }
    },
]

/// The reading of a password file with so many lines.
private func file(_ name: String, _ size: Int, _ line: @escaping @Sendable (Int) -> String) -> Shape {
    Shape("password file", name, size) { size in
        let content = bytes(upTo: size, line) + bytes("last:$1$Sm4Nxokt$0cCUenWZie7J9tQhs1pIf1", times: 1)
        return { use(try Htpasswd(bytes: content, path: "users")) }
    }
}

/// The reading of one that has a line of so many characters, which is refused.
private func refused(_ name: String, _ line: @escaping @Sendable (Int) -> String) -> Shape {
    Shape("password file", name, 100_000) { size in
        let content = bytes(line(size), times: 1)
        return { use(try? Htpasswd(bytes: content, path: "users")) }
    }
}
