internal import GalletaPlatform
internal import Synchronization

/// The configuration as it is at this moment: another one can take its place while the server runs.
///
/// Reading it costs a load. What was replaced stays until the end of the server, since somebody may be reading it: reloads are
/// rare, and a configuration is small.
///
/// Threading: any thread.
final class ActiveConfiguration: Sendable {
    /// One configuration. A class: it is looked at without copying.
    final class Version: Sendable {
        let values: Server.Configuration
        /// Counts them.
        let number: Int

        init(_ values: Server.Configuration, number: Int) {
            self.values = values
            self.number = number
        }
    }

    private let versions: Locked<[Version]>
    private let latest: Atomic<UInt>

    init(_ values: Server.Configuration) {
        let first = Version(values, number: 0)
        versions = Locked([first])
        latest = Atomic(UInt(bitPattern: Unmanaged.passUnretained(first).toOpaque()))
    }

    /// The one that counts now.
    var now: Version {
        // Safe: the bits are those of an object in `versions`, which never loses one.
        Unmanaged<Version>.fromOpaque(UnsafeRawPointer(bitPattern: latest.load(ordering: .acquiring))!)
            .takeUnretainedValue()
    }

    /// Puts another one in its place.
    ///
    /// - Parameter body: Makes it of the present one. What it throws leaves all as it was.
    func replace<Result, Failure: Error>(
        _ body: (inout Server.Configuration) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try versions.withLock { versions throws(Failure) in
            let last = versions[versions.count - 1]
            var values = last.values
            let result = try body(&values)
            let next = Version(values, number: last.number + 1)
            versions.append(next)
            latest.store(UInt(bitPattern: Unmanaged.passUnretained(next).toOpaque()), ordering: .releasing)
            return result
        }
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
    public var configuration: Configuration { engine.active.now.values }
}
