/// The parameters of a yescrypt hash, `j9T` in `$y$j9T$salt$hash`: flavour, log2 of N, and r.
///
/// Numbers are written in crypt(3)'s base 64 with a length of their own (`encode64_uint32` of yescrypt's reference
/// code): digits 0 to 47 stand for themselves, higher ones say how many digits follow.
struct YescryptParameters: Equatable {
    /// How much memory a check takes: 128 N r. Its time goes with it.
    let memoryBytes: Int

    /// Nil when the text is no parameters.
    ///
    /// - Throws: A refusal when they are of another flavour than yescrypt's own, or have further numbers (parallelism,
    ///   more time, a ROM), which crypt_gensalt(3) never writes and whose cost is not limited by the memory.
    init?(_ text: some Sequence<UInt8>) throws(PasswordError) {
        var digits: [UInt32] = []
        for byte in text {
            guard let digit = Hash64.value(of: byte) else { return nil }
            digits.append(digit)
        }
        var rest = digits[...]
        guard let flavour = Self.number(&rest, atLeast: 0), let logN = Self.number(&rest, atLeast: 1),
            let r = Self.number(&rest, atLeast: 1)
        else { return nil }
        guard flavour == 47, rest.isEmpty else {
            throw PasswordError.unusableHash("the yescrypt parameters are not such as crypt(3) makes")
        }
        // Smaller ones are none that yescrypt takes: no password would match.
        guard logN >= 2, r < 1 << 24 else { return nil }
        memoryBytes = logN < 32 ? 128 << Int(logN) * Int(r) : .max
    }

    private static func number(_ digits: inout ArraySlice<UInt32>, atLeast minimum: UInt32) -> UInt32? {
        guard let first = digits.popFirst() else { return nil }
        var start: UInt32 = 0
        var end: UInt32 = 47
        var bits: UInt32 = 0
        var value = minimum
        while first > end {
            // Six digits at most: 30 bits.
            guard bits < 30, start < 63 else { return nil }
            value += (end + 1 - start) << bits
            start = end + 1
            end = start + (62 - end) / 2
            bits += 6
        }
        value += (first - start) << bits
        while bits > 0 {
            guard let digit = digits.popFirst() else { return nil }
            bits -= 6
            value += digit << bits
        }
        return value
    }
}
