import Foundation
import GalletaPlatform
import Logging
import Sessions
import TestSupport
import Testing

@testable import PHPSessions

/// What of a machine, and of PHP's files of settings, has to fit.
@Suite("A machine with PHP")
struct PHPHostTests {
    private let folder: SessionFolder

    init() throws {
        folder = try SessionFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/conf.d", withIntermediateDirectories: false)
    }

    private func write(_ name: String, _ text: String) throws -> String {
        let path = "\(folder.path)/\(name)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }

    @Test("the files of conf.d are read after php.ini, in the order of their names, and the pool's at the end")
    func furtherFiles() throws {
        let ini = try write("php.ini", "session.name = A\nsession.cookie_path = /a\nsession.save_path = /a\n")
        _ = try write("conf.d/20-b.ini", "session.cookie_path = /c\n")
        _ = try write("conf.d/10-a.ini", "session.cookie_path = /b\nsession.save_path = /b\n")
        _ = try write("conf.d/30-off.ini.bak", "session.cookie_path = /d\n")
        let pool = try write("pool.conf", "[shop]\nphp_value[session.name] = POOL\n")
        let configuration = try PHPProvider.Configuration(iniFile: ini, poolFile: pool)
        #expect(configuration.savePath == "/b" && configuration.traits.defaults.cookiePath == "/c")
        #expect(configuration.traits.defaults.cookieName == "POOL")
    }

    @Test("a pool of another user is refused, a file of several pools as well")
    func pools() throws {
        let ini = try write("php.ini", "session.save_path = \(folder.path)\n")
        func field(_ pool: String) throws -> String? {
            do {
                let configuration = try PHPProvider.Configuration(iniFile: ini, poolFile: write("pool.conf", pool))
                _ = try configuration.checkedStore()
                return nil
            } catch let error as ConfigurationError {
                return error.field
            }
        }
        #expect(try field("[shop]\nuser = \(geteuid())\n") == nil)
        #expect(try field("[shop]\nlisten = x\n") == nil)
        #expect(try field("[global]\nuser = \(geteuid() + 1)\n[shop]\nuser = \(geteuid()) ; us\n") == nil)
        #expect(try field("[shop]\nuser = \(geteuid() + 1)\n") == "pool")
        #expect(try field("[nobody]\nuser = $pool\n") == (geteuid() == 65_534 ? nil : "pool"))
        #expect(try field("[shop]\nuser = \(geteuid())\n[blog]\nuser = \(geteuid())\n") == "pool")
        var host = PHPHost()
        host.poolUser = "nobody"
        let error = #expect(throws: ConfigurationError.self) { try host.check(folder.path) }
        #expect("\(error as Any)".contains("run this as nobody"))
    }

    @Test(
        "a folder that PrivateTmp= hides from PHP is refused",
        arguments: [
            ("/tmp", "/tmp", true), ("/tmp/sessions", "/tmp", true), ("/var/tmp/s", "/var/tmp", true),
            ("/tmpx", "/tmp", false), ("/srv/tmp", "/tmp", false), ("/var/tmp/s", "/tmp", false),
        ])
    func privateFolder(path: String, mount: String, isRefused: Bool) throws {
        var host = PHPHost()
        host.mounts = """
            30 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
            31 30 254:0 /tmp/systemd-private-1f-galleta.service-Qx\(mount) \(mount) rw - ext4 /dev/vda rw
            """
        if isRefused {
            #expect(throws: ConfigurationError.self) { try host.check(path) }
        } else {
            try host.check(path)
        }
        host.mounts = "31 30 0:40 / \(mount) rw,nosuid shared:5 - tmpfs tmpfs rw"
        try host.check(path)
    }

    @Test("a folder with sessions of another user is refused where no pool says who that is")
    func otherOwner() throws {
        try folder.put("a|i:1;")
        var host = PHPHost()
        try host.check(folder.path)
        host.userID += 1
        if geteuid() == 0 {
            // What is root's PHP takes, whoever it is.
            try host.check(folder.path)
            try #require(chown(folder.file, 4_711, 4_711) == 0)
        }
        let error = #expect(throws: ConfigurationError.self) { try host.check(folder.path) }
        #expect(error?.field == "savePath")
    }

    @Test(
        "settings are read as PHP reads them",
        arguments: [
            ("session.name = A\n[PATH=/blog]\nsession.name = B", "A"),
            ("session.name = A\n[HOST=blog.example]\nsession.name = B\n[PHP]\nsession.cookie_path = /", "A"),
            (#"session.name = "A" "B""#, "AB"), ("session.name = None", nil), ("session.name = null ; x", nil),
            ("session.name = \"none\"", "none"), ("session.name = 'A' ; B", "A"),
        ] as [(String, String?)])
    func reading(text: String, name: String?) {
        var settings = PHPSettings()
        settings.read(text)
        #expect(settings["name"] == name)
    }

    @Test("a pool's settings are found with blanks and quotes, and a file that it includes is refused")
    func poolSyntax() throws {
        let ini = try write("php.ini", "session.save_path = \(folder.path)\n")
        let lines = [
            "php_admin_value [session.name] = A", "php_admin_value[\"session.name\"] = A",
            "php_value[ session.name ] = A",
        ]
        for line in lines {
            let pool = try write("pool.conf", "[global]\nphp_value[session.name] = B\n[shop]\n\(line)\n")
            let configuration = try PHPProvider.Configuration(iniFile: ini, poolFile: pool)
            #expect(configuration.traits.defaults.cookieName == "A", "\(line)")
        }
        let pool = try write("pool.conf", "[shop]\ninclude = /etc/php/more.conf\n")
        let error = #expect(throws: ConfigurationError.self) {
            try PHPProvider.Configuration(iniFile: ini, poolFile: pool)
        }
        #expect(error?.field == "pool")
    }

    @Test("a name for the user that PHP or we cannot keep is refused", arguments: ["a|b", "_galleta"])
    func userKey(name: String) throws {
        var configuration = PHPProvider.Configuration()
        configuration.savePath = folder.path
        configuration.userKey = ByteString(name)
        let error = #expect(throws: ConfigurationError.self) { try PHPProvider(configuration: configuration) }
        #expect(error?.field == "userKey")
    }

    @Test("a lifetime that Debian's cleaner does not know of is told of")
    func cleaner() throws {
        let log = CapturedLog()
        var logger = Logger(label: "test") { _ in log }
        logger.logLevel = .trace
        var host = PHPHost()
        host.iniLifetime = .seconds(1_440)
        host.warn(of: .seconds(1_440), in: "/var/lib/php/sessions", to: logger)
        host.warn(of: .seconds(7_200), in: "/srv/sessions", to: logger)
        #expect(log.lines.isEmpty)
        host.warn(of: .seconds(7_200), in: "/var/lib/php/sessions", to: logger)
        #expect(log.text.contains("session.gc_maxlifetime = 7200 in php.ini"))
    }

    @Test("a cookie or a lifetime that is other than PHP's is told of")
    func cookie() throws {
        let ini = try write("php.ini", "session.save_path = \(folder.path)\nsession.cookie_domain = example.org\n")
        func warnings(_ adjust: (inout SessionConfiguration) -> Void) throws -> [String] {
            let log = CapturedLog()
            var configuration = SessionConfiguration()
            configuration.logger = Logger(label: "test") { _ in log }
            adjust(&configuration)
            let provider = try PHPProvider(configuration: PHPProvider.Configuration(iniFile: ini))
            defer { provider.close() }
            _ = try SessionManager(provider: provider, configuration: configuration)
            return log.lines.compactMap { line in
                line.hasPrefix("warning ") ? String(line.split(separator: " ")[1]) : nil
            }
        }
        #expect(try warnings { _ in }.isEmpty)
        let same = try warnings {
            $0.cookieName = "PHPSESSID"
            $0.cookiePath = "/"
            $0.cookieDomain = "example.org"
            $0.idleTimeout = .seconds(600)
        }
        #expect(same.isEmpty)
        let others = try warnings {
            $0.cookieName = "sid"
            $0.cookiePath = "/app"
            $0.cookieDomain = nil
            $0.idleTimeout = .seconds(7_200)
        }
        #expect(others == ["cookieName", "cookiePath", "cookieDomain", "idleTimeout"])
    }
}
