import Foundation
import Glibc
import TestSupport
import Testing

@Suite("A system that refuses", .serialized)
struct SystemFaultTests {
    @Test("a full backlog turns further connections away, loses none that wait in it, and empties again")
    func backlog() throws {
        let server = try GalletaProcess()
        // The server hangs, as it would on a machine that swaps.
        server.process.signal(SIGSTOP)
        defer { server.process.signal(SIGCONT) }
        var waiting: [FastCGIClient] = []
        while waiting.count < 10_000, let client = try? FastCGIClient(unix: server.socket, within: 0) {
            // Not kept: an answered one makes room for the next.
            try client.send(FastCGIRecord.request("GET", "/app/ping", keep: false))
            waiting.append(client)
        }
        #expect((1024..<10_000).contains(waiting.count), "connections are refused at some point, not without end")
        server.process.signal(SIGCONT)
        for client in waiting { #expect(try client.reply().text == "pong\n") }
        #expect(try server.fastCGI().exchange("GET", "/app/ping").text == "pong\n")
    }

    @Test(
        "system calls that are interrupted lose nothing: uploads come whole while the process is stopped and continued")
    func interruptedCalls() throws {
        let server = try GalletaProcess()
        let isOver = Cell<Bool>()
        let group = DispatchGroup()
        group.enter()
        Thread {
            // Every blocking call of every thread returns EINTR at SIGCONT.
            while isOver.value == nil {
                server.process.signal(SIGSTOP)
                server.process.signal(SIGCONT)
                poll(nil, 0, 1)
            }
            group.leave()
        }.start()
        let client = try server.fastCGI()
        let form = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n"
        let body = Array(form.utf8) + [UInt8](repeating: 65, count: 3_000_000) + Array("\r\n--b--\r\n".utf8)
        for _ in 0..<20 {
            // 403, after all of the form was read: a body cut short would be 400, an unreadable one 500.
            let type = [("CONTENT_TYPE", "multipart/form-data; boundary=b")]
            #expect(try client.exchange("POST", "/app/login", body: body, type).status == 403)
            #expect(try client.exchange("GET", "/app/").status == 200)
        }
        isOver.set(true)
        group.wait()
    }

    @Test("without the memory for its threads the server does not start, and says what to lower")
    func threads() throws {
        let folder = try TemporaryFolder()
        let command = [GalletaProcess.program, "--workers", "1024", "--listen", "unix:\(folder.file("s.sock"))"]
        let result = try ChildProcess.run(
            "bash", ["-c", "ulimit -v 2000000; exec \"$@\"", "bash"] + command)
        #expect(result.code == 78, "\(result.output)")
        #expect(result.output.contains("cannot be started") && result.output.contains("lower --workers"))
    }

    @Test("descriptors that run out delay connections, and break none that are open")
    func descriptors() throws {
        let server = try GalletaProcess { socket, command in
            ("bash", ["-c", "ulimit -n 40; exec \"$@\"", "bash"] + command + ["--listen", "unix:\(socket)"])
        }
        let kept = try server.fastCGI()
        #expect(try kept.exchange("GET", "/app/ping").text == "pong\n")
        var crowd = try (0..<60).map { _ in try server.fastCGI() }
        #expect(server.hasLogged("Too many open files"))
        #expect(try kept.exchange("GET", "/app/ping").text == "pong\n")
        // A body that needs a file where none can be had: this request fails, nothing else.
        let large = [UInt8](repeating: 65, count: 300_000)
        let reply = try? kept.exchange("POST", "/app/login", body: large)
        #expect(reply?.status == 500 || reply?.isCut == true)
        crowd.removeAll()
        #expect(try server.fastCGI().exchange("POST", "/app/login", body: large).status != 500)
        #expect(try server.fastCGI().exchange("GET", "/app/ping").text == "pong\n")
    }
}
