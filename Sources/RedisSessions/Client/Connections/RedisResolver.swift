internal import GalletaPlatform
internal import Glibc

/// Finds the addresses of host names, and keeps them: `getaddrinfo` blocks for as long as it likes, so it runs on a
/// thread of its own, and no caller waits past its deadline.
///
/// Threading: any thread.
final class RedisResolver: Sendable {
    private struct Entry {
        var addresses: [ResolvedAddress] = []
        var failure: String?
        var isLookedUp = false
        /// A connection to it has failed: look again.
        var isStale = true
    }

    private struct Key: Hashable {
        let host: String
        let port: UInt16
    }

    private let entries = Monitor<[Key: Entry]>([:])

    /// The addresses, in the order in which they should be tried; never empty.
    ///
    /// Known ones come at once, even if a new look-up is under way.
    func addresses(
        of host: String, port: UInt16, by deadline: BootInstant
    ) throws(RedisError) -> [ResolvedAddress] {
        if let numeric = ResolvedAddress.all(host: host, port: port, isNumeric: true) { return numeric }
        let key = Key(host: host, port: port)
        let mustStart = entries.withLock { entries in
            let entry = entries[key, default: Entry()]
            guard entry.isStale, !entry.isLookedUp else { return false }
            entries[key, default: Entry()].isLookedUp = true
            return true
        }
        if mustStart { start(key) }
        let entry = entries.wait(
            until: { !$0[key]!.addresses.isEmpty || !$0[key]!.isLookedUp },
            timeout: BootInstant.now.duration(to: deadline)
        ) { $0[key]! }
        if !entry.addresses.isEmpty { return entry.addresses }
        if entry.isLookedUp { throw RedisError(.timeout, "the name \(host) was not resolved in time") }
        throw RedisError(.connection, "the name \(host) cannot be resolved: \(entry.failure ?? "no address")")
    }

    /// What is known led to no server, or to the wrong one: the name may stand for another address by now.
    ///
    /// - Returns: False for a name that was never looked up, as a numeric address.
    @discardableResult
    func distrust(_ host: String, port: UInt16) -> Bool {
        entries.withLock { entries in
            guard entries[Key(host: host, port: port)] != nil else { return false }
            entries[Key(host: host, port: port)]!.isStale = true
            return true
        }
    }

    private func start(_ key: Key) {
        do {
            _ = try SystemThread(name: "redis-resolver") { [self] in
                let found = ResolvedAddress.all(host: key.host, port: key.port, isNumeric: false)
                finish(key, found, failure: found == nil ? "no such name" : nil)
            }
        } catch {
            finish(key, nil, failure: "no thread: \(String(cString: strerror(error.code)))")
        }
    }

    private func finish(_ key: Key, _ found: [ResolvedAddress]?, failure: String?) {
        entries.withLock { entries in
            var entry = entries[key] ?? Entry()
            if let found { entry.addresses = found }
            entry.failure = failure
            entry.isLookedUp = false
            entry.isStale = found == nil
            entries[key] = entry
        }
        entries.wake()
    }
}

/// An IPv4 or IPv6 address with a port, as connect(2) takes it.
struct ResolvedAddress: Hashable, Sendable {
    let family: Int32
    private let bytes: [UInt8]

    /// - Parameter isNumeric: Take no names, and so never block.
    /// - Returns: Nil for a name without address.
    static func all(host: String, port: UInt16, isNumeric: Bool) -> [ResolvedAddress]? {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV | (isNumeric ? AI_NUMERICHOST : AI_ADDRCONFIG)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0 else { return nil }
        defer { freeaddrinfo(list) }
        var found: [ResolvedAddress] = []
        var next = list
        while let entry = next {
            let address = ResolvedAddress(
                family: entry.pointee.ai_family,
                bytes: [UInt8](
                    UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))))
            if !found.contains(address) { found.append(address) }
            next = entry.pointee.ai_next
        }
        return found.isEmpty ? nil : found
    }

    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        // Copied into storage that is aligned as the kernel's types are.
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes.prefix($0.count)) }
        return withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(bytes.count)) }
        }
    }
}
