internal import Glibc

/// The part of a client's address that stands for one customer of a provider: 24 bits of IPv4, 56 or 64 of IPv6.
package struct ClientNetwork: Hashable, Sendable {
    private let bits: UInt64
    private let kind: UInt8

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
            self.init(bits: 0, kind: 0)
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
            self.init(bits: high >> (64 - UInt64(sixBits)), kind: 6)
        }
    }

    private init(four address: UInt32) {
        self.init(bits: UInt64(address >> 8), kind: 4)
    }

    private init(bits: UInt64, kind: UInt8) {
        self.bits = bits
        self.kind = kind
    }
}
