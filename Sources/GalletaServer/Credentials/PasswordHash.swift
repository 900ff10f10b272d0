internal import CCrypt
internal import CPlatform
internal import Glibc

/// A password as crypt(3) stores it: `$2y$…`, `$6$…` and the like.
struct PasswordHash: Sendable {
    let text: String

    /// Longest password that is looked at: bcrypt uses 72 bytes, and a longer one would only cost time.
    static let maxPasswordBytes = 1024

    /// The kinds of crypt(5) that are worth having; Apache's own (`$apr1$`, `{SHA}`) are not among them.
    private static let kinds = ["$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$", "$gy$", "$7$", "$1$"]

    /// Nil if the text is no hash of a known kind.
    init?(_ text: String) {
        guard Self.kinds.contains(where: text.hasPrefix), text.utf8.count >= 20, text.utf8.count <= 384,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { return nil }
        self.text = text
    }

    /// Hashes a new password with bcrypt at the lowest cost: for a password that is random anyway.
    init(hashing password: String) {
        text = Self.crypt(password, Self.salt()) ?? "$2y$"
    }

    /// Whether the password has this hash. Takes as long as the hash's cost says, right or wrong.
    func matches(_ password: String) -> Bool {
        guard password.utf8.count <= Self.maxPasswordBytes, !password.utf8.contains(0) else { return false }
        guard let computed = Self.crypt(password, text) else { return false }
        let (left, right) = (Array(computed.utf8), Array(text.utf8))
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(left, right) { difference |= one ^ other }
        return difference == 0
    }

    private static func salt() -> String {
        var output = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
        guard crypt_gensalt_rn("$2y$", 5, nil, 0, &output, Int32(output.count)) != nil else { return "$2y$05$" }
        return String(decoding: output.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// crypt_r with its 32 KiB of state on the heap, wiped afterwards: it has seen the password.
    private static func crypt(_ password: String, _ setting: String) -> String? {
        let state = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        defer {
            cplatform_zero(state, MemoryLayout<crypt_data>.size)
            state.deallocate()
        }
        memset(state, 0, MemoryLayout<crypt_data>.size)
        guard let result = crypt_r(password, setting, state) else { return nil }
        let text = String(cString: result)
        return text.hasPrefix("*") ? nil : text
    }
}
