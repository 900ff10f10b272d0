package import Glibc

/// An IPv4 or IPv6 address with a port.
package struct SocketAddress: Equatable {
    /// 4 or 16 bytes, in network order. An IPv4 address mapped into IPv6 is held as IPv4.
    package let bytes: [UInt8]
    package let port: UInt16

    package var family: Int32 { bytes.count == 4 ? AF_INET : AF_INET6 }

    /// 127.0.0.0/8 or ::1.
    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes == [UInt8](repeating: 0, count: 15) + [1]
    }

    /// - Parameter host: A numeric address.
    package init?(host: String, port: UInt16) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, host, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, host, &six) == 1 {
            bytes = Self.unmapped(withUnsafeBytes(of: &six) { Array($0) })
        } else {
            return nil
        }
        self.port = port
    }

    private init?(_ storage: inout sockaddr_storage) {
        switch Int32(storage.ss_family) {
        case AF_INET:
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in.self) }
            bytes = withUnsafeBytes(of: address.sin_addr) { Array($0) }
            port = UInt16(bigEndian: address.sin_port)
        case AF_INET6:
            let address = withUnsafeBytes(of: &storage) { $0.load(as: sockaddr_in6.self) }
            bytes = Self.unmapped(withUnsafeBytes(of: address.sin6_addr) { Array($0) })
            port = UInt16(bigEndian: address.sin6_port)
        default:
            return nil
        }
    }

    /// The IPv4 address inside `::ffff:0:0/96` (RFC 4291, section 2.5.5.2), else the address itself.
    private static func unmapped(_ bytes: [UInt8]) -> [UInt8] {
        let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        return isMapped ? Array(bytes.suffix(4)) : bytes
    }

    /// The other end of a connection.
    package static func peer(of fd: Int32) -> SocketAddress? {
        named { getpeername(fd, $0, $1) }
    }

    /// This end of a socket.
    package static func local(of fd: Int32) -> SocketAddress? {
        named { getsockname(fd, $0, $1) }
    }

    private static func named(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, &length) }
        }
        return result == 0 ? SocketAddress(&storage) : nil
    }

    package func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        let length: Int
        if bytes.count == 4 {
            length = MemoryLayout<sockaddr_in>.size
            withUnsafeMutableBytes(of: &storage) { raw in
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
                raw.storeBytes(of: address, as: sockaddr_in.self)
            }
        } else {
            length = MemoryLayout<sockaddr_in6>.size
            withUnsafeMutableBytes(of: &storage) { raw in
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
                raw.storeBytes(of: address, as: sockaddr_in6.self)
            }
        }
        return withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
        }
    }
}

/// A block of addresses in CIDR notation (RFC 4632): `192.0.2.0/24`, or one address.
package struct AddressRange: Equatable {
    let bytes: [UInt8]
    let prefix: Int

    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = SocketAddress(host: String(parts[0]), port: 0) else { return nil }
        bytes = address.bytes
        if parts.count == 2 {
            guard let prefix = Int(parts[1]), (0...bytes.count * 8).contains(prefix) else { return nil }
            self.prefix = prefix
        } else {
            prefix = bytes.count * 8
        }
    }

    package func contains(_ address: SocketAddress) -> Bool {
        guard address.bytes.count == bytes.count else { return false }
        for bit in 0..<prefix {
            let mask = UInt8(0x80) >> (bit % 8)
            if address.bytes[bit / 8] & mask != bytes[bit / 8] & mask { return false }
        }
        return true
    }
}
