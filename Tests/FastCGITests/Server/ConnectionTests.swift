import FastCGI
import GalletaPlatform
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite("Connections")
struct ConnectionTests {
    @Test("the first request on a connection is answered, and the connection kept for the next")
    func keepsConnection() throws {
        let server = try RunningServer { request in .text("you asked for \(request.path)") }
        let client = try server.client()
        for path in ["/one", "/two", "/three"] {
            let reply = try client.exchange("GET", path)
            #expect(reply.status == 200)
            #expect(reply.text == "you asked for \(path)")
            #expect(reply.protocolStatus == 0)
        }
        #expect(server.server.statistics.acceptedConnections == 1)
    }

    @Test("a connection is closed after the answer if the web server does not keep it")
    func closesWhenNotKept() throws {
        let server = try RunningServer { _ in .text("ok") }
        let client = try server.client()
        #expect(try client.exchange(keep: false).text == "ok")
        #expect(try client.isClosedByServer())
    }

    @Test("idle kept connections hold no worker: 64 with 2 workers, then the 65th is answered")
    func idleConnectionsHoldNoWorker() throws {
        let server = try RunningServer { _ in .text("ok") }
        let idle = try (0..<64).map { _ in
            let client = try server.client()
            #expect(try client.exchange().text == "ok")
            return client
        }
        #expect(try server.client().exchange().text == "ok")
        #expect(try idle[63].exchange().text == "ok")
        #expect(server.server.statistics.openConnections >= 64)
    }

    @Test("1,000 connections at once are all accepted and answered")
    func thousandConnections() throws {
        let server = try RunningServer { _ in .text("ok") }
        let clients = try (0..<1000).map { _ in try server.client() }
        for client in clients { try client.send(FastCGIRecord.request()) }
        for client in clients { #expect(try client.reply().text == "ok") }
    }

    @Test("silent connections delay nobody")
    func silentConnections() throws {
        let server = try RunningServer { _ in .text("ok") }
        let silent = try (0..<10).map { _ in try server.client() }
        let start = BootInstant.now
        #expect(try server.client().exchange().text == "ok")
        // Far above what it takes, far below any timeout.
        #expect(start.duration(to: .now) < .seconds(3))
        withExtendedLifetime(silent) {}
    }

    @Test("a head that comes byte by byte is answered once it is whole")
    func headByteByByte() throws {
        let server = try RunningServer { request in .text(request.path) }
        let client = try server.client()
        for byte in FastCGIRecord.request("GET", "/slow") { try client.send([byte]) }
        #expect(try client.reply().text == "/slow")
    }

    @Test("a head that stops is closed at its deadline, and holds no worker until then")
    func partialHeadTimesOut() throws {
        let server = try RunningServer({ $0.headTimeout = .milliseconds(300) }) { _ in .text("ok") }
        let partial = try (0..<4).map { _ in
            let client = try server.client()
            try client.send(Array(FastCGIRecord.request().prefix(20)))
            return client
        }
        #expect(try server.client().exchange().text == "ok")
        for client in partial { #expect(try client.isClosedByServer()) }
        #expect(eventually { server.server.statistics.timeouts == 4 })
    }

    @Test("dripping bytes does not move a head's deadline")
    func drippingHeadTimesOut() throws {
        let server = try RunningServer({ $0.headTimeout = .milliseconds(300) }) { _ in .text("ok") }
        let client = try server.client()
        let bytes = FastCGIRecord.request("GET", "/" + String(repeating: "x", count: 4000))
        var sent = 0
        let closed = eventually {
            sent += max(0, client.sendSome([bytes[sent]]))
            var byte: UInt8 = 0
            return recv(client.fd, &byte, 1, Int32(MSG_DONTWAIT)) == 0
        }
        #expect(closed)
        #expect(sent < bytes.count)
    }

    @Test("a connection on which nothing is ever sent is closed at the head's deadline: it takes another's place")
    func silentFromTheStart() throws {
        let server = try RunningServer({
            $0.headTimeout = .milliseconds(300)
            $0.maxConnections = 3
        }) { _ in .text("ok") }
        let served = try server.client()
        #expect(try served.exchange().text == "ok")
        let silent = try (0..<10).map { _ in try server.client() }
        #expect(try server.client().exchange().text == "ok")
        for client in silent { #expect(try client.isClosedByServer()) }
        #expect(try served.exchange().text == "ok")
    }

    @Test("an idle connection is closed after the idle timeout")
    func idleTimeout() throws {
        let server = try RunningServer({ $0.idleTimeout = .milliseconds(200) }) { _ in .text("ok") }
        let client = try server.client()
        #expect(try client.exchange().text == "ok")
        #expect(try client.isClosedByServer())
        #expect(eventually { server.server.statistics.openConnections == 0 })
    }

    @Test("more connections than slots wait in the backlog until one is free")
    func slotsFull() throws {
        let server = try RunningServer({ $0.maxConnections = 3 }) { _ in .text("ok") }
        var first = try (0..<3).map { _ in try server.client() }
        for client in first { #expect(try client.exchange().text == "ok") }
        let waiting = try server.client()
        try waiting.send(FastCGIRecord.request())
        first.removeAll()
        #expect(try waiting.reply().text == "ok")
    }

    @Test("a peer that vanishes before its answer harms nobody")
    func vanishingPeer() throws {
        let server = try RunningServer { _ in .bytes([UInt8](repeating: 1, count: 1 << 20), type: "x/y") }
        for _ in 0..<50 {
            let client = try server.client()
            try client.send(FastCGIRecord.request())
        }
        #expect(try server.client().exchange().body.count == 1 << 20)
        #expect(eventually { server.server.statistics.openConnections <= 1 })
    }

    @Test("a peer that never reads is cut at the write timeout, without END_REQUEST")
    func stalledReader() throws {
        let server = try RunningServer({ $0.writeTimeout = .milliseconds(300) }) { _ in
            .bytes([UInt8](repeating: 1, count: 8 << 20), type: "x/y")
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request())
        #expect(eventually { server.server.statistics.failedWrites == 1 })
        #expect(try client.reply().isCut)
        #expect(eventually { server.server.statistics.openConnections == 0 })
    }

    @Test("a handler past its deadline loses its connection, is counted, and the other workers go on")
    func overrunningHandler() throws {
        let release = Locked(false)
        let server = try RunningServer({ $0.handlerTimeout = .milliseconds(200) }) { request in
            if request.path == "/slow" { _ = eventually(within: 20) { release.withLock { $0 } } }
            return .text("ok")
        }
        let slow = try server.client()
        try slow.send(FastCGIRecord.request("GET", "/slow"))
        #expect(try slow.reply().isCut)
        #expect(eventually { server.server.statistics.timeouts == 1 })
        #expect(server.server.statistics.activeWorkers == 1)
        #expect(try server.client().exchange().text == "ok")
        release.withLock { $0 = true }
        #expect(eventually { server.server.statistics.activeWorkers == 0 })
    }

    @Test("libfcgi leaves our signal dispositions alone, and no signal can land in a worker")
    func signals() throws {
        signal(SIGUSR1, SIG_IGN)
        let server = try RunningServer { _ in .text("ok") }
        #expect(try server.client().exchange().text == "ok")
        for (number, expected) in [(SIGPIPE, SIG_IGN), (SIGUSR1, SIG_IGN)] {
            var action = sigaction()
            sigaction(number, nil, &action)
            #expect(
                unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
                    == unsafeBitCast(expected, to: Int.self))
        }
        // The first worker answers before the last one is there.
        #expect(try eventually { try WorkerThreads.blockedSignals().count >= 3 })
        let masks = try WorkerThreads.blockedSignals()
        // Every signal but the two that cannot be blocked and the two that glibc keeps for itself.
        for mask in masks { #expect(mask & 0xffff_fffe_7ffb_feff == 0xffff_fffe_7ffb_feff) }
    }
}
