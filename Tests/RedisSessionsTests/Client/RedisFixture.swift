import GalletaPlatform
import RESP
import Sessions
import TestSupport

@testable import RedisSessions

extension RedisSettings {
    /// For a server's unix socket.
    static func test(_ path: String, _ change: (inout RedisSettings) -> Void = { _ in }) -> RedisSettings {
        var settings = RedisSettings(RedisServers(.single, [.unix(path)]))
        // The machine may be busy with other tests; those of deadlines set their own.
        settings.totalTimeout = .seconds(5)
        settings.connectTimeout = .seconds(2)
        change(&settings)
        return settings
    }
}

extension RedisClient {
    /// A client of the server at a unix socket.
    convenience init(_ path: String, _ change: (inout RedisSettings) -> Void = { _ in }) throws {
        try self.init(settings: .test(path, change))
    }

    func run(_ command: RedisCommand, within timeout: Duration? = nil) throws(RedisError) -> RESPValue {
        try run([command], within: timeout)[0]
    }

    func get(_ key: String, within timeout: Duration? = nil) throws(RedisError) -> String? {
        try run(.get(key), within: timeout).text
    }

    func set(_ key: String, _ value: String) throws(RedisError) {
        _ = try run(.set(key, value))
    }
}

extension RedisCommand {
    static let ping = RedisCommand("PING", isRepeatable: true)

    static func get(_ key: String) -> RedisCommand { RedisCommand("GET", [.text(key)], isRepeatable: true) }

    static func set(_ key: String, _ value: String) -> RedisCommand {
        RedisCommand("SET", [.text(key), .text(value)], isRepeatable: true)
    }

    static func increment(_ key: String) -> RedisCommand { RedisCommand("INCR", [.text(key)], isRepeatable: false) }
}

/// How long something took at least, of some attempts: other tests may keep the processors busy, which makes it longer
/// and never shorter.
func shortest(of attempts: Int = 20, upTo limit: Duration, _ body: () throws -> Void) rethrows -> Duration {
    var shortest = try elapsed(body)
    for _ in 1..<attempts where shortest >= limit { shortest = min(shortest, try elapsed(body)) }
    return shortest
}

/// How long something took.
func elapsed(_ body: () throws -> Void) rethrows -> Duration {
    let start = BootInstant.now
    try body()
    return start.duration(to: .now)
}
