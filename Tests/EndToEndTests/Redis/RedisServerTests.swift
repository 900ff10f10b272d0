import TestSupport
import Testing

@Suite("The tests' own redis-server")
struct RedisServerTests {
    @Test("it answers, and ends with its object")
    func life() throws {
        var server: RedisServer? = try RedisServer()
        let pid = try #require(server?.pid)
        #expect(isAlive(pid))
        #expect(try server?.cli("SET", "key", "a value") == "OK")
        #expect(try server?.cli("GET", "key") == "a value")
        #expect(try server?.info("role") == "master")
        server = nil
        #expect(!isAlive(pid))
    }

    @Test("the lines of the configuration count, and an error that it answers is a failure with its text")
    func lines() throws {
        let server = try RedisServer([
            "requirepass secret", "maxmemory 3mb", "user default off",
            "user galleta on >word ~galleta:* -@all +get +ping",
        ])
        #expect(try server.cli("CONFIG", "GET", "maxmemory") == "maxmemory\n3145728")
        #expect(try server.cli("--user", "galleta", "--pass", "word", "PING") == "PONG")
        let failure = #expect(throws: TestFailure.self) {
            try server.cli("--user", "galleta", "--pass", "word", "SET", "galleta:key", "1")
        }
        #expect(failure?.description.contains("NOPERM") == true)
        let refusal = #expect(throws: TestFailure.self) { try RedisServer(["no-such-setting 1"]) }
        #expect(refusal?.description.contains("no-such-setting") == true)
    }

    @Test("killed, stopped and started again it is at the same addresses, with its data or without")
    func restarts() throws {
        let server = try RedisServer(["appendonly yes", "appendfsync always"], hasPort: true)
        let port = try #require(server.port)
        try server.cli("SET", "key", "1")
        server.kill()
        #expect(!server.isRunning)
        try server.restart()
        #expect(try ChildProcess.run("redis-cli", ["-p", String(port), "GET", "key"]).output == "1\n")
        server.stop()
        try server.restart()
        #expect(try server.cli("GET", "key") == "1")
        try server.restart(keepingData: false)
        #expect(try server.cli("DBSIZE") == "0")
    }

    @Test("one that never writes is started again with its data, too")
    func restartOfMemory() throws {
        let server = try RedisServer()
        try server.cli("SET", "key", "1")
        try server.restart()
        #expect(try server.cli("GET", "key") == "1")
    }

    @Test("paused it is there and answers nothing, until it goes on")
    func pauses() throws {
        let server = try RedisServer()
        server.pause()
        #expect(server.isRunning)
        server.resume()
        #expect(try server.cli("PING") == "PONG")
        server.pause()
    }

    @Test("on a TLS port it shows a certificate for the host that was asked for")
    func tls() throws {
        let identity = try TLSAuthority().issue("redis.test", "127.0.0.1")
        let server = try RedisServer(tls: identity)
        let port = try String(#require(server.tlsPort))
        try server.restart()
        let answer = try ChildProcess.run("redis-cli", ["-p", port, "--tls", "--cacert", identity.authority, "PING"])
        #expect(answer.output == "PONG\n")
        func check(_ option: String, _ host: String, trusting authority: String) throws -> String {
            try ChildProcess.run(
                "openssl", ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", authority, option, host]
            ).output
        }
        for (option, host) in [("-verify_hostname", "redis.test"), ("-verify_ip", "127.0.0.1")] {
            #expect(try check(option, host, trusting: identity.authority).contains("Verify return code: 0 (ok)"))
        }
        #expect(
            try check("-verify_hostname", "other.test", trusting: identity.authority).contains("hostname mismatch"))
        let stranger = try TLSAuthority()
        #expect(
            try !check("-verify_hostname", "redis.test", trusting: stranger.certificate)
                .contains("Verify return code: 0"))
    }

    @Test("an expired certificate is one")
    func expired() throws {
        let identity = try TLSAuthority().issue("redis.test", days: -1)
        let result = try ChildProcess.run("openssl", ["verify", "-CAfile", identity.authority, identity.certificate])
        #expect(result.output.contains("certificate has expired"))
    }
}
