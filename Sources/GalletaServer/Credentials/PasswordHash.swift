/// A password hash of crypt(3), of a kind that is taken.
///
/// Its shape is checked when the file is read: a hash that was cut short or mistyped would else only show as a user who
/// can never log in, and a mistyped cost as a log-in that takes hours.
struct PasswordHash: Sendable, Equatable {
    /// Why a text is no hash that is taken.
    struct Refusal: Error, Equatable {
        let reason: String
    }

    /// The hash as crypt(3) writes it, which is also the setting to hash a candidate with.
    let text: String

    init(_ text: String) throws(Refusal) {
        self.text = text
        let fields = text.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count > 2, fields[0].isEmpty else { throw Refusal(reason: Self.refusal(text)) }
        let rest = fields[2...]
        let isWhole: Bool
        switch fields[1] {
        case "2a", "2b", "2y": isWhole = try Self.isBcrypt(rest)
        case "6": isWhole = try Self.isSHA(rest, length: 86)
        case "5": isWhole = try Self.isSHA(rest, length: 43)
        case "1": isWhole = rest.count == 2 && rest[2].count <= 8 && Self.isHash64(rest[3], length: 22)
        case "y": isWhole = rest.count == 3 && !rest[2].isEmpty && Self.isHash64(rest[4], length: 43)
        case "apr1": throw Refusal(reason: "the hash is Apache's MD5 ($apr1$), which is weak and not crypt(3)'s")
        default: throw Refusal(reason: "the hash is of an unknown kind")
        }
        guard isWhole else { throw Refusal(reason: "the hash is not complete") }
    }

    /// `cost$salt and hash`; more than 2^17 rounds (`htpasswd -C 17`) would be tens of seconds a log-in.
    private static func isBcrypt(_ fields: ArraySlice<Substring>) throws(Refusal) -> Bool {
        guard fields.count == 2, fields[2].utf8.count == 2, let cost = Int(fields[2]), cost >= 4 else { return false }
        guard cost <= 17 else { throw Refusal(reason: "the bcrypt cost \(cost) is over 17") }
        return isHash64(fields[3], length: 53)
    }

    /// `rounds=n$salt$hash`, the rounds being optional.
    private static func isSHA(_ fields: ArraySlice<Substring>, length: Int) throws(Refusal) -> Bool {
        var fields = fields
        if let first = fields.first, first.hasPrefix("rounds=") {
            guard let rounds = Int(first.dropFirst(7)), rounds >= 1000 else { return false }
            guard rounds <= 5_000_000 else { throw Refusal(reason: "\(rounds) rounds are over 5000000") }
            fields.removeFirst()
        }
        guard fields.count == 2, let salt = fields.first, let hash = fields.last else { return false }
        return salt.utf8.count <= 16 && isHash64(hash, length: length)
    }

    /// Exactly so many characters of crypt(3)'s alphabet.
    private static func isHash64(_ text: Substring, length: Int) -> Bool {
        text.utf8.count == length
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: "/"):
                    true
                default:
                    false
                }
            }
    }

    private static func refusal(_ text: String) -> String {
        if text.hasPrefix("{") { return "the hash is of a weak kind ({SHA} or the like)" }
        if text.isEmpty || text.hasPrefix("!") || text.hasPrefix("*") { return "the user has no password hash" }
        return "the password is plain text or of crypt(3)'s old DES kind"
    }
}
