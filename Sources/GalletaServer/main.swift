import Dispatch
import FastCGI
import Glibc

let args = CommandLine.arguments
var c = Server.Configuration()
c.workers = 2
c.mount = try MountPoint("/app")
let server = try Server(configuration: c, listeners: [.unix(path: args[1])]) { request in
    if request.path == "/echo" { return .text(try request.body.string()) }
    if request.path == "/big" {
        return .bytes([UInt8](repeating: 65, count: 1 << 20), type: "application/octet-stream")
    }
    if request.path == "/throw" { throw CancellationError() }
    return .text("Hello \(request.path)\n")
}
signal(SIGTERM, SIG_IGN)
let src = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
src.setEventHandler { server.shutdown() }
src.resume()
try server.run()
