/// A password hash of crypt(3), of a kind that is taken: yescrypt, bcrypt, SHA-512, SHA-256, and MD5 (`$1$`) of old files.
///
/// Its shape is checked when it is made of a text: a hash that was cut short or mistyped would else only show as a user who
/// can never log in, and a mistyped cost as log-ins that take hours. The costs that are taken end where one check takes
/// about two seconds of a processor, or 64 MiB of memory.
public struct PasswordHash: Sendable, Hashable {
    /// What a check's time depends on; hashes that agree in it take the same time for the same password.
    struct Work: Hashable, Sendable {
        /// The kind as crypt(3) names it.
        let kind: String
        /// The cost as the hash has it; empty for the kind's own.
        let cost: String
        /// Only SHA's hashes feed the salt to each round.
        let saltBytes: Int
    }

    /// Largest cost of bcrypt: 2^15 rounds.
    static let maxBcryptCost = 15
    /// Most rounds of SHA-512 and SHA-256. A password of 500 bytes takes eight times as long as a short one.
    static let maxSHARounds = 500_000
    /// Most memory that yescrypt may take: what `mkpasswd -R 7` gives.
    static let maxYescryptBytes = 64 << 20

    /// The hash as crypt(3) writes it, to be kept: at most 128 bytes of ASCII for what ``Passwords`` makes.
    public let text: String
    /// What a check's time depends on.
    let work: Work
    /// Bcrypt ignores what follows a password's first 72 bytes.
    var isBcrypt: Bool { work.kind == "2" }

    /// - Parameter text: As it was kept.
    /// - Throws: ``PasswordError`` of code `unusableHash` for a text that is no hash, of a kind that is not taken, or over
    ///   the limits of cost.
    public init(_ text: String) throws(PasswordError) {
        self.text = text
        let fields = text.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count > 2, fields[0].isEmpty else { throw PasswordError.unusableHash(Self.refusal(text)) }
        let rest = fields[2...]
        let work: Work?
        switch fields[1] {
        case "2a", "2b", "2y": work = try Self.bcrypt(rest)
        case "6": work = try Self.sha("6", rest, length: 86)
        case "5": work = try Self.sha("5", rest, length: 43)
        case "1": work = Self.md5(rest)
        case "y": work = try Self.yescrypt(rest)
        case "gy", "7": throw PasswordError.unusableHash("the hash is of a kind that is not taken ($\(fields[1])$)")
        case "apr1":
            throw PasswordError.unusableHash("the hash is Apache's MD5 ($apr1$), which is weak and not crypt(3)'s")
        default: throw PasswordError.unusableHash("the hash is of an unknown kind")
        }
        guard let work else { throw PasswordError.unusableHash("the hash is not complete") }
        self.work = work
    }

    /// Whether the algorithm makes hashes of this kind and cost.
    func isMade(by algorithm: PasswordAlgorithm) -> Bool {
        guard algorithm.isBcrypt == isBcrypt else { return false }
        guard !isBcrypt else { return work.cost == String(algorithm.cost) }
        // Of yescrypt the library's salt says which parameters the cost stands for.
        let fields = (try? algorithm.newSetting())?.split(separator: "$") ?? []
        return work.kind == "y" && fields.count > 1 && work.cost == fields[1]
    }

    // Each of these gives nil for a hash that is not complete.

    /// `cost$salt and hash`.
    private static func bcrypt(_ fields: ArraySlice<Substring>) throws(PasswordError) -> Work? {
        guard fields.count == 2, fields[2].utf8.count == 2, let cost = number(fields[2]), cost >= 4 else { return nil }
        guard cost <= maxBcryptCost else {
            throw PasswordError.unusableHash("the bcrypt cost \(cost) is over \(maxBcryptCost)")
        }
        return isHash64(fields[3], length: 53) ? Work(kind: "2", cost: String(cost), saltBytes: 0) : nil
    }

    /// `rounds=n$salt$hash`, the rounds being optional.
    private static func sha(
        _ kind: String, _ fields: ArraySlice<Substring>, length: Int
    ) throws(PasswordError) -> Work? {
        var fields = fields
        var cost = ""
        if let first = fields.first, first.hasPrefix("rounds=") {
            let digits = first.dropFirst(7)
            guard !digits.hasPrefix("0"), let rounds = number(digits), rounds >= 1000 else { return nil }
            guard rounds <= maxSHARounds else {
                throw PasswordError.unusableHash("\(rounds) rounds are over \(maxSHARounds)")
            }
            cost = String(rounds)
            fields.removeFirst()
        }
        guard fields.count == 2, let salt = fields.first, let hash = fields.last else { return nil }
        guard isSalt(salt, maxLength: 16), isHash64(hash, length: length) else { return nil }
        return Work(kind: kind, cost: cost, saltBytes: salt.utf8.count)
    }

    /// `salt$hash`.
    private static func md5(_ fields: ArraySlice<Substring>) -> Work? {
        guard fields.count == 2, isSalt(fields[2], maxLength: 8), isHash64(fields[3], length: 22) else { return nil }
        return Work(kind: "1", cost: "", saltBytes: fields[2].utf8.count)
    }

    /// `parameters$salt$hash`.
    private static func yescrypt(_ fields: ArraySlice<Substring>) throws(PasswordError) -> Work? {
        guard fields.count == 3, !fields[2].isEmpty, isHash64(fields[4], length: 43) else { return nil }
        guard let memory = try YescryptParameters(fields[2].utf8)?.memoryBytes else { return nil }
        guard memory <= maxYescryptBytes else {
            throw PasswordError.unusableHash(
                "the yescrypt cost takes \(memory >> 20) MiB, over \(maxYescryptBytes >> 20)")
        }
        return Work(kind: "y", cost: String(fields[2]), saltBytes: 0)
    }

    /// Digits only; `Int` takes a sign, too.
    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    /// A salt that crypt(3) takes: printable ASCII but for these.
    private static func isSalt(_ text: Substring, maxLength: Int) -> Bool {
        text.utf8.count <= maxLength
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && !"!*:;\\".utf8.contains($0) }
    }

    /// Exactly so many characters of crypt(3)'s alphabet.
    private static func isHash64(_ text: Substring, length: Int) -> Bool {
        text.utf8.count == length && text.utf8.allSatisfy { Hash64.value(of: $0) != nil }
    }

    private static func refusal(_ text: String) -> String {
        if text.hasPrefix("{") { return "the hash is of a weak kind ({SHA} or the like)" }
        if text.isEmpty || text.hasPrefix("!") || text.hasPrefix("*") { return "the user has no password hash" }
        if text.hasPrefix(" ") || text.hasPrefix("\t") { return "there is a blank before the hash" }
        return "the password is plain text or of crypt(3)'s old DES kind"
    }
}

/// The digits of crypt(3)'s base 64: `./0-9A-Za-z`.
enum Hash64 {
    /// 0 to 63; nil for any other byte.
    static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "/"): UInt32(byte - UInt8(ascii: "."))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 2
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A")) + 12
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 38
        default: nil
        }
    }
}
