import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Connections that a service manager holds")
struct HeldConnectionTests {
    /// A service manager as far as it starts a program with a socket, and holds descriptors for the next start.
    ///
    /// For one thread at a time.
    private final class Manager {
        private let socket: InheritedSocket
        private let notifications: Int32
        private(set) var held: [Int32] = []
        private(set) var messages: [String] = []
        var path: String { socket.path }

        init() throws {
            socket = try InheritedSocket()
            notifications = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            try #require(InheritedSocket.bind(notifications, to: socket.folder.file("notify")))
        }

        deinit {
            for fd in held + [notifications] { close(fd) }
        }

        /// Starts the program with what is held.
        func start(storeSize: Int = 100, _ options: [String] = []) throws -> ChildProcess {
            let names = ["fastcgi"] + held.map { _ in "connection" }
            defer { forget() }
            messages = []
            return try ChildProcess(
                "bash",
                ["-c", "export LISTEN_PID=$$; exec \"$@\"", "bash", GalletaProcess.program, "--workers", "2", "--demo"]
                    + options,
                log: socket.folder.file("log-\(UUID().uuidString)"),
                environment: [
                    "NOTIFY_SOCKET": socket.folder.file("notify"), "FDSTORE": "\(storeSize)",
                    "LISTEN_FDS": "\(names.count)", "LISTEN_FDNAMES": names.joined(separator: ":"),
                ],
                descriptors: [socket.fd] + held)
        }

        func file(_ name: String) -> String { socket.folder.file(name) }

        func forget() {
            for fd in held { close(fd) }
            held = []
        }

        /// Reads what has been said by now.
        func listen() {
            var bytes = [UInt8](repeating: 0, count: 4_096)
            // What came with it: a header of 16 bytes, then the descriptors (cmsg(3)).
            var control = [UInt64](repeating: 0, count: 256)
            while true {
                var length = 0
                let count = bytes.withUnsafeMutableBytes { bytes in
                    control.withUnsafeMutableBytes { control in
                        var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                        return withUnsafeMutablePointer(to: &part) { part in
                            var message = msghdr()
                            message.msg_iov = part
                            message.msg_iovlen = 1
                            message.msg_control = control.baseAddress
                            message.msg_controllen = control.count
                            let flags = Int32(MSG_DONTWAIT) | Int32(MSG_CMSG_CLOEXEC)
                            let count = recvmsg(notifications, &message, flags)
                            length = message.msg_controllen
                            return count
                        }
                    }
                }
                guard count > 0 else { return }
                let text = String(decoding: bytes[..<count], as: UTF8.self)
                messages.append(text)
                var descriptors: [Int32] = []
                if length >= 16 {
                    control.withUnsafeBytes { control in
                        let size = Int(control.load(as: UInt64.self))
                        for offset in stride(from: 16, to: size, by: 4) {
                            descriptors.append(control.load(fromByteOffset: offset, as: Int32.self))
                        }
                    }
                }
                if text == "FDSTORE=1\nFDNAME=connection" {
                    held += descriptors
                } else {
                    // A barrier's: it is open until it has been read.
                    for fd in descriptors { close(fd) }
                }
            }
        }

        func hears(_ text: String) -> Bool {
            eventually(within: 20) {
                listen()
                return messages.contains { $0.contains(text) }
            }
        }

        func hasEnded(_ process: ChildProcess) -> Bool {
            eventually(within: 30) {
                listen()
                return !process.isRunning
            }
        }
    }

    @Test("are served on by the next start, with what was sent on them meanwhile, and the sessions")
    func served() throws {
        let manager = try Manager()
        let state = ["--state", manager.file("sessions")]
        let first = try manager.start(state)
        #expect(manager.hears("READY=1"))
        let clients = try (0..<4).map { _ in try FastCGIClient(unix: manager.path) }
        var cookie = ""
        for client in clients {
            let reply = try client.exchange("GET", "/app/counter", [("HTTP_COOKIE", cookie)])
            if cookie.isEmpty { cookie = reply.sessionCookie ?? "" }
        }
        first.signal(SIGTERM)
        #expect(manager.hasEnded(first))
        #expect(first.exitCode() == 0)
        #expect(manager.held.count == 4)
        for client in clients {
            try client.send(FastCGIRecord.request("GET", "/app/counter", [("HTTP_COOKIE", cookie)]))
        }
        let second = try manager.start(state)
        #expect(manager.hears("FDSTOREREMOVE=1\nFDNAME=connection"))
        #expect(manager.hears("BARRIER=1"))
        let counts = try clients.map { try $0.reply().text }
        #expect(Set(counts) == ["5\n", "6\n", "7\n", "8\n"], "\(second.output)")
        withExtendedLifetime(second) {}
    }

    @Test("are as many as it holds; nobody is asked to hold those of a socket that it has not made")
    func refused() throws {
        let manager = try Manager()
        let first = try manager.start(storeSize: 0)
        #expect(manager.hears("READY=1"))
        let client = try FastCGIClient(unix: manager.path)
        #expect(try client.exchange("GET", "/app/ping").text == "pong\n")
        first.signal(SIGTERM)
        #expect(manager.hasEnded(first))
        #expect(try client.isClosedByServer())
        #expect(!manager.messages.contains { $0.hasPrefix("FDSTORE") })

        let own = try GalletaProcess([], environment: ["NOTIFY_SOCKET": manager.file("notify"), "FDSTORE": "100"])
        let other = try own.fastCGI()
        #expect(try other.exchange("GET", "/app/ping").text == "pong\n")
        #expect(own.process.stop() == 0)
        #expect(try other.isClosedByServer())
        manager.listen()
        #expect(!manager.messages.contains { $0.hasPrefix("FDSTORE") })
    }
}
