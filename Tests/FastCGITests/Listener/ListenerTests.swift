import Foundation
import GalletaPlatform
import Glibc
import TestSupport
import Testing

@testable import FastCGI

@Suite("Listeners")
struct ListenerTests {
    private let temporary: TemporaryFolder
    private var folder: String { temporary.path }

    init() throws {
        temporary = try TemporaryFolder()
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "a unix socket gets its mode at birth and is removed at the end", arguments: [0o660, 0o600, 0o666] as [UInt32])
    func unixMode(mode: UInt32) throws {
        let path = folder + "/s.sock"
        var listener: Listener? = try .unix(path: path, mode: mode)
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == mode)
        #expect(listener?.warnings.isEmpty == (mode != 0o666))
        listener = nil
        #expect(lstat(path, &status) != 0)
    }

    @Test("a stale socket is replaced, one with a living listener never")
    func staleSocket() throws {
        let path = folder + "/s.sock"
        let first = try Listener.unix(path: path)
        let error = message { _ = try Listener.unix(path: path) }
        #expect(error.contains("a running process listens on it already"))
        withExtendedLifetime(first) {}
        let stale = folder + "/stale.sock"
        makeStaleSocket(stale)
        #expect(message { _ = try Listener.unix(path: stale) } == "no error")
    }

    /// A socket file that nobody listens on, as a killed process leaves it.
    private func makeStaleSocket(_ path: String) {
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #expect(InheritedSocket.bind(fd, to: path))
        close(fd)
    }

    @Test("of many starts on one stale socket one succeeds, and its socket lives")
    func manyStarts() throws {
        let path = folder + "/s.sock"
        for round in 0..<150 {
            makeStaleSocket(path)
            let made = Locked([Listener]())
            let failures = Locked([String]())
            let group = DispatchGroup()
            for _ in 0..<4 {
                group.enter()
                Thread {
                    do {
                        let listener = try Listener.unix(path: path)
                        made.withLock { $0.append(listener) }
                    } catch {
                        failures.withLock { $0.append("\(error)") }
                    }
                    group.leave()
                }.start()
            }
            group.wait()
            #expect(made.withLock { $0.count } == 1, "round \(round)")
            #expect(failures.withLock { $0 }.allSatisfy { $0.contains("a running process listens on it already") })
            #expect((try? FastCGIClient(unix: path, within: 0)) != nil, "round \(round)")
            made.withLock { $0 = [] }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    @Test("one that stops does not remove the socket of one that starts")
    func stopBesideStart() throws {
        let path = folder + "/s.sock"
        for round in 0..<150 {
            let old = Locked(Optional(try Listener.unix(path: path)))
            // As at a stop: from here on the file looks stale.
            old.withLock { $0?.refuseConnections() }
            let thread = Thread { old.withLock { $0 = nil } }
            thread.start()
            let next = try Listener.unix(path: path)
            #expect(eventually { thread.isFinished })
            #expect((try? FastCGIClient(unix: path, within: 0)) != nil, "round \(round)")
            withExtendedLifetime(next) {}
        }
    }

    @Test("the mode of a socket reaches no other file through a link in its place")
    func modeBesideLink() throws {
        let path = folder + "/s.sock"
        let other = folder + "/other"
        try "secret".write(toFile: other, atomically: true, encoding: .utf8)
        chmod(other, 0o600)
        makeStaleSocket(folder + "/foreign.sock")
        chmod(folder + "/foreign.sock", 0o600)
        for target in [other, folder + "/foreign.sock"] {
            unlink(path)
            symlink(target, path)
            #expect(
                message { _ = try SocketFile(boundAt: path, mode: 0o666, "x") }.contains("its mode cannot be set"))
            var status = stat()
            #expect(stat(target, &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
        #expect(message { _ = try SocketFile(boundAt: other, mode: 0o666, "x") }.contains("its mode cannot be set"))
    }

    @Test("a lock that somebody else left or holds is named")
    func foreignLock() throws {
        let path = folder + "/s.sock"
        symlink("/nonexistent", path + ".lock")
        let text = message { _ = try Listener.unix(path: path) }
        #expect(text.contains("\(path).lock belongs to somebody else") && text.contains("remove that file"))
        unlink(path + ".lock")
        let lock = try SocketFile.Lock(path, "x")
        let waiting = message { _ = try SocketFile.Lock(path, "x", patience: .milliseconds(20)) }
        #expect(waiting.contains("another process is about to listen on it"))
        withExtendedLifetime(lock) {}
    }

    @Test("a check finds what a start would, and leaves nothing behind")
    func check() throws {
        let path = folder + "/s.sock"
        #expect(message { try Listener.check(["unix:\(path)"]) } == "no error")
        makeStaleSocket(path)
        #expect(message { try Listener.check([path]) } == "no error")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["s.sock"])
        let first = try Listener.unix(path: path)
        let tcp = try Listener.tcp(host: "127.0.0.1", port: 0)
        try "x".write(toFile: folder + "/file", atomically: true, encoding: .utf8)
        // In use is no fault of the configuration.
        for (address, expected) in [
            (path, "a running process listens on it already"), (tcp.name, "the port is in use"),
        ] {
            #expect(try Listener.check(["tcp:127.0.0.1:0", address]).map(\.reason) == [expected])
            #expect(message { _ = try Listener.at(address) }.contains(expected))
        }
        #expect(message { try Listener.check([path, folder + "/file"]) }.contains("not a socket"))
        for (address, expected) in [
            (folder + "/file", "not a socket"), (folder + "/missing/s.sock", "install -d"),
            ("/proc/self/s.sock", "/proc/self"), ("/" + String(repeating: "x", count: 120), "1 to 107 bytes"),
            ("tcp:0.0.0.0:0", "`allow`"), ("nonsense", "not an address"),
        ] {
            #expect(message { try Listener.check([address]) }.contains(expected), "\(address)")
            #expect(message { _ = try Listener.at(address) }.contains(expected), "\(address)")
        }
        #expect(message { try Listener.check([path], allow: ["user:no-such-user"]) }.contains("does not exist"))
        withExtendedLifetime((first, tcp)) {}
    }

    @Test("a listener does not remove a socket file that is no longer its own")
    func foreignFile() throws {
        let path = folder + "/s.sock"
        var first: Listener? = try .unix(path: path)
        unlink(path)
        let second = try Listener.unix(path: path)
        _ = first
        first = nil
        var status = stat()
        #expect(lstat(path, &status) == 0)
        withExtendedLifetime(second) {}
    }

    @Test("an unusable path is refused with the remedy")
    func unusablePaths() throws {
        try "x".write(toFile: folder + "/file", atomically: true, encoding: .utf8)
        for (path, expected) in [
            (folder + "/missing/s.sock", "install -d"),
            (folder + "/file", "not a socket"),
            ("/" + String(repeating: "x", count: 120), "1 to 107 bytes"),
            ("", "1 to 107 bytes"),
        ] {
            #expect(message { _ = try Listener.unix(path: path) }.contains(expected))
        }
    }

    @Test("a port in use is refused with the remedy")
    func portInUse() throws {
        let first = try Listener.tcp(host: "127.0.0.1", port: 0)
        let port = try #require(UInt16(first.name.split(separator: ":").last!))
        #expect(
            message { _ = try Listener.tcp(host: "127.0.0.1", port: port) }.contains(
                "the port is in use; stop the process"))
    }

    @Test("an address other than loopback needs an allow list", arguments: ["0.0.0.0", "::", "192.0.2.1"])
    func nonLoopback(host: String) {
        #expect(message { _ = try Listener.tcp(host: host, port: 0) }.contains("in `allow`"))
    }

    @Test(
        "addresses as operators write them",
        arguments: [
            ("tcp:127.0.0.1:0", "tcp:127.0.0.1:"), ("tcp:[::1]:0", "tcp:[::1]:"), ("tcp:localhost:0", "tcp:localhost:"),
            ("127.0.0.1:9000", "not an address"), ("tcp:127.0.0.1", "not an address"),
            ("tcp:127.0.0.1:99999", "not an address"),
            ("tcp:example.com:1", "not a numeric address"), ("nonsense", "not an address"), ("tcp:", "not an address"),
        ]
    )
    func addresses(text: String, expected: String) throws {
        do {
            #expect(try Listener.at(text).name.hasPrefix(expected))
        } catch  where "\(error)".contains("not one of this machine") {
            // A machine without IPv6.
        } catch {
            #expect("\(error)".contains(expected))
        }
    }

    @Test(
        "ranges contain what CIDR says",
        arguments: [
            ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false), ("0.0.0.0/0", "203.0.113.9", true),
            ("2001:db8::/32", "2001:db8:1::5", true),
            ("2001:db8::/32", "2001:db9::5", false), ("10.0.0.0/8", "::1", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
        ]
    )
    func ranges(range: String, address: String, expected: Bool) throws {
        let range = try #require(AddressRange(range))
        let address = try #require(SocketAddress(host: address, port: 1))
        #expect(range.contains(address) == expected)
    }

    @Test(
        "what is no range is refused",
        arguments: ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "", "/8", "10.0.0.0/8/8", "x"])
    func malformedRanges(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test("a TCP listener serves loopback")
    func tcp() throws {
        let listener = try Listener.tcp(host: "127.0.0.1", port: 0)
        let port = try #require(UInt16(listener.name.split(separator: ":").last!))
        let server = try Server(listeners: [listener]) { _ in .text("by TCP") }
        let thread = Thread { try? server.run() }
        thread.start()
        #expect(try FastCGIClient(port: port).exchange().text == "by TCP")
        server.shutdown()
    }

    @Test("a peer outside the allow list is turned away")
    func refusedPeer() throws {
        let listener = try Listener.tcp(host: "127.0.0.1", port: 0, allow: ["192.0.2.0/24"])
        let port = try #require(UInt16(listener.name.split(separator: ":").last!))
        let server = try Server(listeners: [listener]) { _ in .text("never") }
        let thread = Thread { try? server.run() }
        thread.start()
        #expect(try FastCGIClient(port: port).isClosedByServer())
        #expect(eventually { server.statistics.refusedPeers == 1 })
        server.shutdown()
    }

    /// Connects to `path` as another user.
    private func connect(to path: String, as user: uid_t) throws {
        _ = try ChildProcess.run(
            "setpriv",
            [
                "--reuid=\(user)", "--clear-groups", "curl", "-s", "--max-time", "10", "--unix-socket", path,
                "http://x/",
            ])
    }

    @Test("a user outside the allow list is turned away, whatever the mode says", .enabled(if: geteuid() == 0))
    func refusedUser() throws {
        chmod(folder, 0o755)
        let path = folder + "/s.sock"
        let listener = try Listener.unix(path: path, mode: 0o666, allow: ["user:1234"])
        #expect(listener.warnings.isEmpty)
        let server = try Server(listeners: [listener]) { _ in .text("for some") }
        let thread = Thread { try? server.run() }
        thread.start()
        defer { server.shutdown() }
        try connect(to: path, as: 4321)
        #expect(eventually { server.statistics.refusedPeers == 1 })
        // Its HTTP is no FastCGI, but it is heard.
        try connect(to: path, as: 1234)
        #expect(eventually { server.statistics.refusedHeads == 1 })
        #expect(server.statistics.refusedPeers == 1)
        #expect(try FastCGIClient(unix: path).exchange().text == "for some")
    }

    @Test("an unknown user in the allow list is refused with the remedy")
    func unknownUser() {
        let text = message { _ = try Listener.unix(path: folder + "/s.sock", allow: ["user:no-such-user"]) }
        #expect(text.contains("does not exist") && text.contains("ps -C nginx"))
        #expect(message { _ = try Listener.tcp(host: "127.0.0.1", port: 0, allow: ["x"]) }.contains("user:www-data"))
    }
}
