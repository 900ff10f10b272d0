import Galleta
import MemorySessions

MemoryProvider.register()
let app = Application(
    sessions: try SessionManager(provider: "memory", cookieName: "sid", maxLifetime: .seconds(3600)))
addShop(to: app)
try app.run(listen: CommandLine.arguments.dropFirst().first ?? "tcp:127.0.0.1:9000")
