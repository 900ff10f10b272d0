internal import Glibc
internal import Sessions

/// One run of one store; `deploy/bench sessions` makes the rounds and the table.
@main
enum SessionStoreBenchmark {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let count = Int(arguments[3]), count >= 1 else { usage() }
        do {
            if arguments[1] == "log-outs" {
                try LogOutRun(folder: arguments[2], clients: count).run()
                exit(0)
            }
            guard count >= 2 else { usage() }
            switch arguments[2] {
            case "galleta": try run(arguments[1], GalletaStore.self, count)
            case "classic": try run(arguments[1], ClassicStore<String>.self, count)
            case "classic-id": try run(arguments[1], ClassicStore<SessionID>.self, count)
            default: usage()
            }
        } catch {
            fail("session-store-benchmark: \(error)\n", status: 1)
        }
        // Not back to the caller: a list of a million objects would be released one inside the other.
        exit(0)
    }

    private static func run<Store: BenchmarkedStore>(_ what: String, _ store: Store.Type, _ count: Int) throws {
        switch what {
        case "cost": try CostRun<Store>(count: count, seconds: count >= 100_000 ? 2 : 0.1).run()
        case "count": try CostRun<Store>(count: count, seconds: 0, isTimed: false).run()
        case "expire": try StallRun<Store>(count: count).expire()
        case "empty": try EmptyRun<Store>(count: count).run()
        case "grow": try StallRun<Store>(count: count).grow()
        default: usage()
        }
    }

    private static func usage() -> Never {
        fail(
            """
            Usage: session-store-benchmark cost|count|expire|grow|empty galleta|classic|classic-id SESSIONS
                   session-store-benchmark log-outs FOLDER CLIENTS

            """,
            status: 64)
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        _ = Array(message.utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(status)
    }
}
