import Foundation
import GalletaPlatform
import RedisSessions
import Sessions
import TestSupport
import Testing

@Suite("Sessions on a bad day of Redis", .serialized, .blocking)
struct RedisFaultTests {
    private func configuration(_ url: String) -> RedisProvider.Configuration {
        var configuration = RedisProvider.Configuration()
        configuration.url = url
        configuration.timeout = FaultTime.timeout
        configuration.connections = 8
        return configuration
    }

    private func server(_ lines: String...) throws -> RedisServer {
        // Uncompressed, so that an id in a file would be seen.
        try RedisServer(["rdbcompression no"] + lines)
    }

    private func lab(_ name: String, _ server: RedisServer, timeout: Duration = FaultTime.timeout) throws -> FaultLab {
        var configuration = configuration("unix://\(server.socket)")
        configuration.timeout = timeout
        return try FaultLab(name, configuration)
    }

    @Test("a crash: with appendfsync always nothing that was acknowledged is lost")
    func crash() throws {
        let server = try server("appendonly yes", "appendfsync always")
        let lab = try lab("kill -9, appendfsync always", server, timeout: FaultTime.diskTimeout)
        for _ in 0..<2 {
            try lab.fault {
                server.kill()
                lab.goOn()
                try server.restart()
            }
        }
        try lab.finish([server])
    }

    @Test("a crash: with appendfsync everysec no more is lost than what is new")
    func crashEverySecond() throws {
        let server = try server("appendonly yes", "appendfsync everysec")
        let lab = try lab("kill -9, appendfsync everysec", server, timeout: FaultTime.diskTimeout)
        try lab.fault {
            lab.book.mayLose = true
            lab.goOn(1_000)
            // A write may wait for two seconds while the disk is busy with the one before.
            let start = BootInstant.now.advanced(by: .seconds(-2))
            server.kill()
            lab.goOn()
            try server.restart()
            try lab.settle(lossSince: start)
        }
        try lab.finish([server])
    }

    @Test("two seconds of standstill")
    func standstill() throws {
        let server = try server()
        let lab = try lab("SIGSTOP for 2 s", server)
        try lab.fault {
            server.pause()
            lab.goOn(2_000)
            server.resume()
        }
        try lab.finish([server])
    }

    @Test("replies that drip, and are late: calls end in time, and who has another way is well")
    func drip() throws {
        let server = try server()
        let proxy = try RedisProxy(to: server)
        let lab = try FaultLab(
            "a dripping proxy", configuration("unix://\(proxy.socket)"),
            beside: configuration("unix://\(server.socket)"))
        try lab.fault {
            for mode in [RedisProxy.Mode.drip(every: .milliseconds(20)), .delay(.milliseconds(180)), .holdReplies] {
                proxy.mode = mode
                lab.goOn(700)
                proxy.mode = .forward
                lab.goOn(300)
            }
        }
        try lab.finish([server])
    }

    @Test("replies that are cut in the middle: nothing is done twice, and nothing that was acknowledged is undone")
    func cut() throws {
        let server = try server()
        let proxy = try RedisProxy(to: server)
        let lab = try FaultLab(
            "replies cut", configuration("unix://\(proxy.socket)"), beside: configuration("unix://\(server.socket)"))
        try lab.fault {
            for step in 0..<50 {
                proxy.mode = .cut(afterReplyBytes: step * 7 % 90)
                lab.goOn(5)
                proxy.mode = .forward
                lab.goOn(35)
            }
        }
        try lab.finish([server], breaks: 25)
    }

    @Test("SCRIPT FLUSH again and again: nobody notices")
    func flush() throws {
        let server = try server()
        let lab = try lab("SCRIPT FLUSH", server)
        try lab.fault(isAway: false) {
            for _ in 0..<60 {
                try server.cli("SCRIPT", "FLUSH")
                lab.goOn(10)
            }
        }
        try lab.finish([server])
    }

    @Test("no memory: what is there is read and ended, nothing is half done, and all is well when there is room")
    func memory() throws {
        let server = try server("maxmemory-policy noeviction")
        let lab = try lab("maxmemory, noeviction", server)
        try lab.fault {
            try server.cli("CONFIG", "SET", "maxmemory", "1mb")
            lab.goOn(800)
            try server.cli("CONFIG", "SET", "maxmemory", "0")
        }
        let other = lab.book.figures.failures.first { !$0.reason.contains("store full") }
        #expect(other == nil, "\(other?.reason ?? "")")
        try lab.finish([server])
    }

    @Test(
        "permissions that are taken away: nothing is half done, and all is well when they are back",
        arguments: [["hset"], ["pexpireat"], ["evalsha", "eval"]])
    func permissions(taken: [String]) throws {
        let server = try server()
        let permissions = RedisProviderTests.permissions.map { $0.replacing("NAME", with: "gal") }
        try server.cli(
            ["ACL", "SETUSER", "gal", "reset", "on", ">secret"] + permissions)
        let lab = try FaultLab(
            "ACL without \(taken.joined(separator: ", "))", configuration("unix://gal:secret@\(server.socket)"))
        try lab.fault {
            try server.cli(["ACL", "SETUSER", "gal"] + taken.map { "-" + $0 })
            lab.goOn(400)
            try server.cli(["ACL", "SETUSER", "gal"] + taken.map { "+" + $0 })
        }
        try lab.finish([server])
    }

    @Test(
        "a permission that is taken away: each call does its work or nothing",
        arguments: RedisProviderTests.permissions.filter { $0.hasPrefix("+") })
    func permission(taken: String) throws {
        let server = try server()
        let permissions = RedisProviderTests.permissions.map { $0.replacing("NAME", with: "gal") }
        try server.cli(["ACL", "SETUSER", "gal", "reset", "on", ">secret"] + permissions)
        let site = try FaultSite(configuration("unix://gal:secret@\(server.socket)"), book: FaultBook())
        let owners = (0..<6).map { _ in FaultSite.token() }
        let ids = try owners.enumerated().map { try site.begin($1, user: $0 < 3 ? "ada" : nil) }
        let provider = site.provider.provider
        let versions = try ids.map { try provider.read($0)?.version }
        try server.cli("ACL", "SETUSER", "gal", "-" + taken.dropFirst())
        // Whatever of it is refused, the visitor keeps the cookie.
        var rotated: Set<Int> = []
        for index in [0, 3] {
            if case .rotated? = try? provider.rotate(ids[index], to: .random(), grace: .zero) { rotated.insert(index) }
        }
        var patch = SessionPatch()
        try patch.set(.name("bob"), for: .user)
        patch.remove(FaultSite.owner)
        let binding = try? provider.commit(patch, to: ids[4], expecting: nil)
        _ = try? site.begin(FaultSite.token(), user: "ada")
        _ = try? site.begin(FaultSite.token())
        _ = try? provider.touch(ids[1])
        _ = try? provider.sessions(of: "ada", current: nil, limit: 9)
        try server.cli("ACL", "SETUSER", "gal", taken)
        for (index, id) in ids.enumerated() {
            let record = try provider.read(id)
            if rotated.contains(index) {
                #expect(record == nil)
            } else if index == 4, binding != nil {
                #expect(record?.values.user == "bob" && record?.values[FaultSite.owner] == nil)
            } else {
                #expect(record?.values[FaultSite.owner] == .string(owners[index]), "\(index)")
                #expect(
                    record?.values.user == (index < 3 ? "ada" : nil) && record?.version == versions[index], "\(index)")
            }
        }
        #expect(try provider.sessions(of: "ada", current: nil, limit: 9).total >= 3)
        #expect(try provider.sessions(of: "bob", current: nil, limit: 9).total == (binding == nil ? 0 : 1))
        #expect(try StoreAudit.lastingKeys(server).isEmpty)
    }

    @Test("a password that is changed: first at the server, then in the file; and in the right order without a failure")
    func password() throws {
        let server = try server("requirepass one")
        let file = server.folder.file("password")
        let write = { (password: String) in
            try (password + "\n").write(toFile: file, atomically: true, encoding: .utf8)
        }
        try write("one")
        var settings = configuration("unix://\(server.socket)")
        settings.passwordFile = file
        let lab = try FaultLab("the password changed", settings)
        let change = { (password: String) in
            try server.cli("CONFIG", "SET", "requirepass", password)
            // Connections that are there stay logged in.
            try server.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        }
        try lab.fault {
            try change("two")
            lab.goOn(500)
            try write("two")
            lab.goOn(100)
            try change("one")
            lab.goOn(100)
            try write("one")
        }
        try lab.fault(isAway: false) {
            try server.cli("ACL", "SETUSER", "default", ">three")
            lab.goOn(50)
            try write("three")
            lab.goOn(50)
            try server.cli("ACL", "SETUSER", "default", "<one")
            lab.goOn(200)
            try server.cli("ACL", "SETUSER", "default", ">one", "<three")
            try write("one")
        }
        try lab.finish([server], breaks: 4)
    }
}
