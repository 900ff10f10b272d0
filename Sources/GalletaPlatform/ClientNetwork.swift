internal import Glibc

/// The part of a client's address that stands for one customer of a provider: 24 bits of IPv4, 56 or 64 of IPv6.
package struct ClientNetwork: Hashable, Sendable {
    /// The bits that count, behind zeros.
    private let bits: UInt64
    private let kind: Kind

    private enum Kind: Hashable {
        case none
        case four
        case six(length: Int)
    }

    /// - Parameters:
    ///   - address: As the web server gives it in REMOTE_ADDR. What is no address (a unix socket's name, say) shares one
    ///     network, so that nobody gets around the limit by it.
    ///   - sixBits: How much of an IPv6 address counts; 56 is what a customer easily has, 64 one link of theirs.
    package init(_ address: String, sixBits: Int = 56) {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 {
            self.init(four: UInt32(bigEndian: four.s_addr))
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, address, &six) == 1 else {
            self.init(bits: 0, kind: .none)
            return
        }
        let (high, low) = withUnsafeBytes(of: &six) { raw in
            (
                UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        if high == 0, low >> 32 == 0xFFFF {
            // An IPv4 address in the clothes of IPv6 (RFC 4291 section 2.5.5.2) is the same client.
            self.init(four: UInt32(truncatingIfNeeded: low))
        } else {
            self.init(bits: high >> (64 - UInt64(sixBits)), kind: .six(length: sixBits))
        }
    }

    private init(four address: UInt32) {
        self.init(bits: UInt64(address >> 8), kind: .four)
    }

    private init(bits: UInt64, kind: Kind) {
        self.bits = bits
        self.kind = kind
    }

    /// `192.0.2.0/24` or `2001:db8:0:1::/64`; nil for what is no address.
    package var name: String? {
        switch kind {
        case .none: return nil
        case .four:
            return "\(bits >> 16).\(bits >> 8 & 0xFF).\(bits & 0xFF).0/24"
        case .six(let length):
            var address = [(bits << UInt64(64 - length)).bigEndian, 0]
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            guard inet_ntop(AF_INET6, &address, &text, socklen_t(text.count)) != nil else { return nil }
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/\(length)"
        }
    }
}
