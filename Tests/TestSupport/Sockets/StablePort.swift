import GalletaPlatform
import Glibc

/// Ports of 127.0.0.1 for servers that are ended and started again at the same address.
///
/// ``Loopback/freePort()`` gives what the system would give to any outgoing connection: while the server is down,
/// somebody else's connection may get it. These are from below that range, and given once a process.
enum StablePort {
    private static let given = Locked<Set<Int>>([])

    /// A port that nobody is bound to at this moment. Another process may take it at once: retry on conflict.
    static func next() throws -> Int {
        for _ in 0..<1000 {
            let port = Int.random(in: 16_384..<32_768)
            if given.withLock({ $0.insert(port).inserted }), try Loopback.isFree(UInt16(port)) { return port }
        }
        throw TestFailure(description: "no free port below 32768")
    }
}
