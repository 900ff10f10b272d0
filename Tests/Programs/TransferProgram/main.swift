// Moves large bodies behind spawn-fcgi, for `deploy/bench transfers`: TransferProgram FILE. Tests/Benchmarks/classic-transfer.c
// does the same with libfcgi alone.
import Galleta
import MemorySessions

/// The file that is answered with.
let path = CommandLine.arguments[1]
/// What is read, written and streamed at a time.
let blockSize = 64 << 10
let streamedBlocks = 160

@Sendable func answerFile(_: Request, _: Session) -> Response {
    .file(path, type: "application/octet-stream")
}

@Sendable func answerStream(_: Request, _: Session) -> Response {
    .stream(type: "application/octet-stream", length: streamedBlocks * blockSize, writeBlocks)
}

@Sendable func writeBlocks(_ writer: ResponseWriter) throws {
    let block = [UInt8](repeating: 0x78, count: blockSize)
    for _ in 0..<streamedBlocks { try writer.write(block) }
}

@Sendable func countBytes(_ request: Request, _: Session) throws -> Response {
    var count = 0
    try withUnsafeTemporaryAllocation(byteCount: blockSize, alignment: 16) { block in
        while case let more = try request.body.read(into: block), more > 0 { count += more }
    }
    return .text("\(count)\n")
}

MemoryProvider.register()
let sessions = try SessionManager(provider: "memory", cookieName: "sid", maxLifetime: .seconds(3600))
let app = Application(sessions: sessions)
app.configuration.mount = try MountPoint("/app")
app.configuration.maxBodyBytes = 1 << 30
app.get("/file", answerFile)
app.get("/stream", answerStream)
app.post("/upload", countBytes)
try app.run()
