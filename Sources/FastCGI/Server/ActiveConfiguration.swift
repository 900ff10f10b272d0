internal import GalletaPlatform
internal import Synchronization

/// The configuration as it is at this moment: another one can take its place while the server runs.
///
/// Reading it costs a load: each event does so, on all workers at once, so there is nothing to be retained. What was replaced
/// stays until the end of the server, since somebody may be reading it: reloads are rare, and a configuration is small.
///
/// Threading: any thread.
final class ActiveConfiguration: @unchecked Sendable {
    // Safe: what the addresses lead to is written before they are published, never changed, and freed with this object.

    /// One configuration.
    struct Version {
        let values: Server.Configuration
        /// Counts them.
        let number: Int
    }

    private let versions: Locked<[UInt]>
    private let latest: Atomic<UInt>

    init(_ values: Server.Configuration) {
        let first = Self.keep(Version(values: values, number: 0))
        versions = Locked([first])
        latest = Atomic(first)
    }

    deinit {
        for address in versions.withLock({ $0 }) {
            let version = UnsafeMutablePointer<Version>(bitPattern: address)!
            version.deinitialize(count: 1)
            version.deallocate()
        }
    }

    /// The one that counts now. It lasts as long as this object.
    var now: UnsafePointer<Version> { UnsafePointer(bitPattern: latest.load(ordering: .acquiring))! }

    /// Puts another one in its place.
    ///
    /// - Parameter body: Makes it of the present one. What it throws leaves all as it was.
    func replace<Result, Failure: Error>(
        _ body: (inout Server.Configuration) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try versions.withLock { versions throws(Failure) in
            let last = now.pointee
            var values = last.values
            let result = try body(&values)
            let next = Self.keep(Version(values: values, number: last.number + 1))
            versions.append(next)
            latest.store(next, ordering: .releasing)
            return result
        }
    }

    private static func keep(_ version: Version) -> UInt {
        let address = UnsafeMutablePointer<Version>.allocate(capacity: 1)
        address.initialize(to: version)
        return UInt(bitPattern: address)
    }
}

extension Server {
    /// Has other limits and deadlines count from the next request on; those in flight go on under the old ones.
    ///
    /// All can change but `workers`, `maxConnections`, `mount` and `address`, for which a server must be started anew: of
    /// these the present values stay.
    ///
    /// - Returns: The names of those that would be other ones.
    /// - Throws: `ConfigurationError` that names the field; nothing has changed then.
    @discardableResult
    public func reconfigure(_ configuration: Configuration) throws(ConfigurationError) -> [String] {
        try configuration.validate()
        return engine.active.replace { values in
            var next = configuration
            var fixed: [String] = []
            func keep<Value: Equatable>(_ name: String, _ path: WritableKeyPath<Configuration, Value>) {
                if next[keyPath: path] != values[keyPath: path] { fixed.append(name) }
                next[keyPath: path] = values[keyPath: path]
            }
            keep("workers", \.workers)
            keep("maxConnections", \.maxConnections)
            keep("mount", \.mount)
            keep("address", \.address)
            values = next
            return fixed
        }
    }

    /// What counts for the next request.
    public var configuration: Configuration { engine.active.now.pointee.values }
}
