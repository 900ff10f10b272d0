internal import CCrypt
internal import GalletaPlatform

/// How new passwords are hashed: a kind that crypt(3) has, and its cost.
public struct PasswordAlgorithm: Sendable, Hashable {
    /// The prefix of crypt(3).
    let prefix: String
    /// crypt(3)'s count.
    let cost: Int
    private let costs: ClosedRange<Int>

    /// yescrypt, Debian's own choice for its users: it takes memory as well as time, which hardware for guessing has less of.
    ///
    /// - Parameter cost: 1 to 7; one more takes twice the time, and mostly twice the memory: 16 MiB and some 20 ms at 5,
    ///   64 MiB at 7. Each worker of ``Passwords`` takes that memory while it hashes.
    public static func yescrypt(cost: Int = 5) -> PasswordAlgorithm {
        PasswordAlgorithm(prefix: "$y$", cost: cost, costs: 1...7)
    }

    /// bcrypt, for hashes that other programs are to read, such as PHP's `password_verify`. It takes passwords of at most
    /// 72 bytes.
    ///
    /// - Parameter cost: 4 to 15; one more takes twice the time: some 200 ms at 12.
    public static func bcrypt(cost: Int = 12) -> PasswordAlgorithm {
        PasswordAlgorithm(prefix: "$2y$", cost: cost, costs: 4...PasswordHash.maxBcryptCost)
    }

    var isBcrypt: Bool { prefix == "$2y$" }

    /// The longest password in bytes that can be hashed.
    public var maxPasswordBytes: Int {
        isBcrypt ? PasswordHash.maxBcryptPasswordBytes : PasswordHash.maxPasswordBytes
    }

    /// A setting for crypt(3) with a salt of its own.
    func newSetting() throws(PasswordError) -> String {
        var text = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
        // Without random bytes of ours the library takes the system's.
        guard crypt_gensalt_rn(prefix, UInt(cost), nil, 0, &text, Int32(text.count)) != nil else {
            throw .failed("crypt(3) makes no salt for \(prefix)")
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// - Throws: For a cost that is not taken, and for a kind that this system's crypt(3) has not.
    func validate() throws(ConfigurationError) {
        guard costs.contains(cost) else {
            throw ConfigurationError(
                field: "algorithm",
                reason: "the cost \(cost) is not within \(costs.lowerBound) and \(costs.upperBound)",
                remedy: "leave it out, or give one of these")
        }
        guard (try? newSetting()) != nil else {
            throw ConfigurationError(
                field: "algorithm", reason: "crypt(3) of this system does not know \(prefix)",
                remedy: "give another algorithm")
        }
    }
}
