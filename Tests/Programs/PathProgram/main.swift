// Answers with the route that a path has reached and what it captured there, for tests of what a path means:
// PathProgram SOCKET.
import Galleta
import MemorySessions

MemoryProvider.register()
let sessions = try SessionManager(provider: "memory", cookieName: "sid", maxLifetime: .seconds(3600))
let app = Application(sessions: sessions)
app.configuration.mount = try MountPoint("/app")

// Routes that the tests' web servers have a rule for, by prefix and by the whole path, and such that are open to all.
for pattern in ["/secret", "/secret/*", "/exact", "/login", "/items/:name", "/*"] {
    app.get(pattern) { request, _ in
        let name: ByteString = pattern.hasSuffix("*") ? "*" : "name"
        let captured = request.pathParameters
        return .text("\(pattern)\n\(captured[name] ?? "")\n\(captured.decoded(name) ?? "")\n")
    }
}
app.get("/ping") { _, _ in "pong\n" }

try app.run(listen: "unix:" + CommandLine.arguments[1])
