internal import Glibc
internal import RedisSessions
internal import Sessions

/// Fills a store and reads back some of it; `deploy/bench redis-memory` sees what that costs the store.
@main
enum RedisSessionsBenchmark {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let count = Int(arguments[2]), count >= 1,
            let kind = StoreFiller.Kind(rawValue: arguments[3])
        else { fail("Usage: redis-sessions-benchmark URL SESSIONS anonymous|users\n", status: 64) }
        do {
            RedisProvider.register()
            let options = SessionProviderOptions(parameters: ["url": arguments[1]])
            let provider = try SessionProviders.make("redis", options: options)
            let filler = StoreFiller(provider, count: count, kind: kind)
            report("create-seconds", try filler.create())
            report("read-per-second", try Double(filler.kept) / filler.read())
            provider.close()
        } catch {
            fail("redis-sessions-benchmark: \(error)\n", status: 1)
        }
    }

    private static func report(_ name: String, _ value: Double) {
        print(name, (value * 100).rounded() / 100)
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        _ = Array(message.utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(status)
    }
}
