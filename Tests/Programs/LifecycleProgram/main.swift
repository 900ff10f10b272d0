// A program of the kind that the package's users write, for tests of what only their own code can show:
// LifecycleProgram SOCKET.
import Galleta
import Glibc
import Logging
import MemorySessions

struct Refusal: Error, CustomStringConvertible {
    var description: String { "the first hook refuses" }
}

MemoryProvider.register()
let logger = Logger(label: "program") { _ in LineLogHandler() }
let sessions = try SessionManager(provider: "memory", cookieName: "sid", maxLifetime: .seconds(3600))
let app = Application(sessions: sessions, logger: logger)
app.onReload { throw Refusal() }
app.onReload { logger.notice("the second hook ran") }
app.get("/ping") { _, _ in "pong\n" }
app.get("/environment") { _, _ in
    guard let child = popen("env", "r") else { return "" }
    defer { pclose(child) }
    var text = ""
    var line = [CChar](repeating: 0, count: 4_096)
    while let end = fgets(&line, Int32(line.count), child) { text += String(cString: end) }
    return text
}

try app.run(listen: CommandLine.arguments[1])
for number in 1...200 { logger.notice("run() has returned, line \(number)") }
