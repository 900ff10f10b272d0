internal import GalletaPlatform
internal import Sessions

/// Counts wrong passwords, and says who has to wait before the next try.
///
/// Each wrong password counts for the user name together with the client's network, for the network, and for the name,
/// in times of ten minutes that begin with the first. A browser that has logged in as the user before (see
/// ``KnownBrowsers``) is counted by itself, and by nothing else: so others, however many networks they come from,
/// cannot lock a user out of a browser that is known.
///
/// Names without a user are counted as all others; a refusal tells nothing.
///
/// The memory is a table of fixed size. A counter without a place takes that of the lowest of four, so a victim's can
/// be driven out only where the three others in its row are as high; rows are chosen by a hash with a random key, so that
/// takes some hundred thousand wrong passwords in ten minutes, each of which costs its check. Threading: usable from any thread.
final class GuessLimiter: Sendable {
    /// Wrong passwords of one name from one network, or from one known browser, in ten minutes.
    static let perNameAndNetwork = 10
    /// Wrong passwords from one network.
    static let perNetwork = 100
    /// Wrong passwords of one name.
    static let perName = 100
    /// The time in which they count.
    static let period = Duration.seconds(600)

    /// A try that is counted as wrong until it is taken back.
    struct Guess {
        fileprivate let counters: [(key: Int, limit: Int)]

        /// - Parameters:
        ///   - user: The name that was given.
        ///   - address: The client's, as the web server says.
        ///   - browser: The proof of a known browser.
        init(user: ByteString, address: String, browser: [UInt8]?) {
            if let browser {
                counters = [(Self.key(0, user, browser), perNameAndNetwork)]
                return
            }
            let network = ClientNetwork(address, sixBits: 64)
            counters = [
                (Self.key(1, user, network), perNameAndNetwork), (Self.key(2, network, 0), perNetwork),
                (Self.key(3, user, 0), perName),
            ]
        }

        // Hasher has a key of its own in each process.
        private static func key(_ kind: Int, _ one: some Hashable, _ other: some Hashable) -> Int {
            var hasher = Hasher()
            hasher.combine(kind)
            hasher.combine(one)
            hasher.combine(other)
            return hasher.finalize()
        }
    }

    private struct Counter {
        var key = 0
        var count = 0
        var end = BootInstant(nanoseconds: .min)
    }

    private static let ways = 4
    private static let rows = 4_096

    private let clock: @Sendable () -> BootInstant
    private let counters = Locked([Counter](repeating: Counter(), count: rows * ways))

    init(clock: @escaping @Sendable () -> BootInstant = { .now }) {
        self.clock = clock
    }

    /// Counts a try as wrong; or else how long to wait before the next, and nothing is counted.
    func take(_ guess: Guess) -> Duration? {
        let now = clock()
        return counters.withLock { table in
            var wait: Duration?
            for (key, limit) in guess.counters {
                guard let place = Self.place(of: key, in: table, now), table[place].count >= limit else { continue }
                wait = max(wait ?? .zero, now.duration(to: table[place].end))
            }
            guard wait == nil else { return wait }
            for (key, _) in guess.counters {
                if let place = Self.place(of: key, in: table, now) {
                    table[place].count += 1
                } else {
                    // The lowest; one whose time is over counts nothing.
                    let place = Self.row(of: key).min {
                        Self.count(table[$0], now) < Self.count(table[$1], now)
                    }!
                    table[place] = Counter(key: key, count: 1, end: now.advanced(by: Self.period))
                }
            }
            return nil
        }
    }

    /// The try was not wrong, or not made.
    func takeBack(_ guess: Guess) {
        let now = clock()
        counters.withLock { table in
            for (key, _) in guess.counters {
                if let place = Self.place(of: key, in: table, now), table[place].count > 0 { table[place].count -= 1 }
            }
        }
    }

    private static func row(of key: Int) -> Range<Int> {
        let row = Int(UInt(bitPattern: key) % UInt(rows)) * ways
        return row..<row + ways
    }

    private static func place(of key: Int, in table: [Counter], _ now: BootInstant) -> Int? {
        row(of: key).first { table[$0].key == key && table[$0].end > now }
    }

    private static func count(_ counter: Counter, _ now: BootInstant) -> Int {
        counter.end > now ? counter.count : 0
    }
}
