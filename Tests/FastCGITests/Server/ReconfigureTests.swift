import FastCGI
import Glibc
import TestSupport
import Testing

@Suite("A server whose configuration changes")
struct ReconfigureTests {
    private func running() throws -> RunningServer {
        try RunningServer { listener, logger in
            var configuration = Server.Configuration()
            configuration.workers = 1
            configuration.maxBodyBytes = 10
            return try Server(configuration: configuration, listeners: [listener], logger: logger) { request in
                .text("\(try request.body.collect().count)")
            }
        }
    }

    private func post(_ client: FastCGIClient, _ count: Int) throws -> Int? {
        try client.exchange("POST", "/", body: [UInt8](repeating: 0x61, count: count)).status
    }

    @Test("has new limits count for the next request, on a connection that is kept, too")
    func limits() throws {
        let running = try running()
        let (kept, other) = (try running.client(), try running.client())
        #expect(try post(kept, 10) == 200 && post(kept, 11) == 413)
        for limit in [20, 5, 30] {
            var configuration = running.server.configuration
            configuration.maxBodyBytes = limit
            #expect(try running.server.reconfigure(configuration).isEmpty)
            for client in [kept, other, try running.client()] {
                #expect(try post(client, limit) == 200 && post(client, limit + 1) == 413)
            }
        }
    }

    @Test("names what cannot change, and keeps it")
    func fixed() throws {
        let running = try running()
        var configuration = running.server.configuration
        configuration.workers = 3
        configuration.maxConnections = 7
        configuration.mount = try MountPoint("/x")
        configuration.maxBodyBytes = 12
        #expect(try running.server.reconfigure(configuration) == ["workers", "maxConnections", "mount"])
        #expect(running.server.configuration.workers == 1 && running.server.configuration.maxBodyBytes == 12)
        #expect(running.server.statistics.workers == 1)
        #expect(try post(running.client(), 12) == 200)
    }

    @Test("refuses what no server could run with, and nothing changes")
    func refused() throws {
        let running = try running()
        var configuration = running.server.configuration
        configuration.maxBodyBytes = 12
        configuration.writeTimeout = .zero
        let error = #expect(throws: ConfigurationError.self) { try running.server.reconfigure(configuration) }
        #expect(error?.field == "writeTimeout")
        #expect(try post(running.client(), 11) == 413)
    }

    @Test("has a shorter deadline count, although its clock sleeps until a later one")
    func deadline() throws {
        let running = try running()
        #expect(try post(running.client(), 1) == 200)
        var configuration = running.server.configuration
        configuration.bodyTimeout = .milliseconds(20)
        try running.server.reconfigure(configuration)
        let client = try running.client()
        let bytes = FastCGIRecord.request("POST", "/", body: [0x61])
        try client.send(Array(bytes.dropLast(8)))
        #expect(try client.reply().status == 408)
    }

    @Test("begins a slow log, and ends it")
    func slowLog() throws {
        let log = CapturedLog()
        let running = try RunningServer(log: log) { listener, logger in
            try Server(configuration: Server.Configuration(), listeners: [listener], logger: logger) { _ in
                usleep(5_000)
                return .text("")
            }
        }
        let client = try running.client()
        func lines() -> Int { log.lines.count { $0.contains("slow request") } }
        for (limit, expected) in [(nil, 0), (Duration.milliseconds(2), 1), (nil, 1), (.milliseconds(1), 2)] {
            var configuration = running.server.configuration
            configuration.slowRequestTime = limit
            try running.server.reconfigure(configuration)
            #expect(try client.exchange().status == 200)
            #expect(eventually { lines() == expected && running.server.statistics.slowRequests == expected })
        }
    }
}
