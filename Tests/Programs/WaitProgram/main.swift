// Handlers that wait, for `deploy/bench waits`: WaitProgram, behind spawn-fcgi, with as many workers as WORKERS says.
import Galleta
import Glibc
import MemorySessions

@Sendable func milliseconds(_ request: Request) -> Int { request.pathParameters["ms"].flatMap { Int($0) } ?? 0 }

@Sendable func hello(_: Request, _: Session) -> Response { "hello\n" }

@Sendable func block(_ request: Request, _: Session) -> Response {
    usleep(UInt32(milliseconds(request) * 1000))
    return "blocked\n"
}

@Sendable func suspend(_ request: Request, _: Session) async throws -> Response {
    try await Task.sleep(for: .milliseconds(milliseconds(request)))
    return "suspended\n"
}

@Sendable func events(_: Request, _: Session) -> Response {
    .events { events in
        while !Task.isCancelled {
            try await events.send("tick")
            try await Task.sleep(for: .seconds(1))
        }
    }
}

MemoryProvider.register()
let sessions = try SessionManager(provider: "memory", cookieName: "sid", maxLifetime: .seconds(3600))
let app = Application(sessions: sessions)
app.accessLogger = nil
app.configuration.mount = try MountPoint("/app")
app.configuration.handlerTimeout = .seconds(5)
if let workers = getenv("WORKERS").flatMap({ Int(String(cString: $0)) }) { app.configuration.workers = workers }
app.get("/hello", hello)
app.get("/block/:ms", block)
app.get("/suspend/:ms", suspend)
app.get("/events", events)
try app.run()
