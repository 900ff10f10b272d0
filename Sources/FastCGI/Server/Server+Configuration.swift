internal import Glibc

extension Server {
    /// How a server runs: threads, limits and deadlines.
    public struct Configuration: Sendable {
        /// Threads that run handlers; 1 to 1,024. Default: twice the number of processors, at least 4.
        ///
        /// A handler that blocks holds its worker; connections that are idle, whose request still arrives, or whose peer
        /// reads its answer slowly, hold none.
        public var workers: Int
        /// Most connections at a time, 1 to 1,000,000; more wait in the listener's backlog. Default 4,096.
        public var maxConnections = 4096
        /// Where the web server mounts the application. Default: the root.
        public var mount = MountPoint.root
        /// The parameter that holds a request's address. Default: REQUEST_URI, as the client sent it.
        public var address = RequestAddress.requestURI
        /// Largest body in bytes; a larger one is answered with 413. Default 8 MiB.
        ///
        /// Bodies are gathered before their handlers run, what is over 64 KiB in
        /// ``FormLimits/temporaryDirectory``: at worst ``maxConnections`` times this there.
        public var maxBodyBytes = 8 << 20
        /// Largest request head in bytes, all FastCGI parameters together. Default 64 KiB.
        public var maxHeadBytes = 64 << 10
        /// Most FastCGI parameters. Default 1,000.
        public var maxParameters = 1000
        /// Most bytes of a body beyond ``maxBodyBytes`` that are read away, so that the web server takes the answer; past
        /// it the connection is closed. Default 64 MiB.
        public var maxDrainBytes = 64 << 20
        /// Limits of forms.
        public var formLimits = FormLimits()
        /// From the first byte of a request head to its last, and from a new connection to its first byte. Default 10 s.
        public var headTimeout = Duration.seconds(10)
        /// Longest pause inside a body; then the answer is 408. Default 15 s.
        public var bodyTimeout = Duration.seconds(15)
        /// From the head to the end of the answer, body and handler together. Past it a body that still arrives is answered
        /// with 408; a handler that still runs has its connection cut and, if it is async, its task cancelled.
        /// Default 60 s.
        public var handlerTimeout = Duration.seconds(60)
        /// How long a connection may be idle after an answer; longer than the web server keeps it. Default 120 s.
        public var idleTimeout = Duration.seconds(120)
        /// Longest time that an answer waits while the web server reads nothing of it. Default 30 s.
        public var writeTimeout = Duration.seconds(30)
        /// How long a stopping server waits for requests in flight. Kept connections are answered once more; those that
        /// are idle after a second, at most half of the grace, are closed. Where systemd keeps them for the next start, none is.
        /// Default 10 s.
        public var shutdownGrace = Duration.seconds(10)
        /// Requests that take as long as this, or longer, are logged as warnings, each with where its time went: waiting for a
        /// worker, reading the body, in the handler, in the session store, sending. Default: nil, none is.
        ///
        /// Until its head is read a request is known to nobody: that part of its wait is the time in which no worker was free,
        /// at most. On, it costs a request half a microsecond; off, nothing.
        public var slowRequestTime: Duration?

        /// The defaults.
        public init() {
            workers = max(4, 2 * Self.processorCount)
        }

        private static var processorCount: Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

        /// Refuses values that no server could run with;
        /// ``Server/init(configuration:listeners:logger:observer:admission:refusal:handler:)`` does so, too.
        ///
        /// - Throws: `ConfigurationError` that names the field.
        public func validate() throws(ConfigurationError) {
            try formLimits.validate()
            try check(workers, in: 1...1024, "workers")
            try check(maxConnections, in: 1...1_000_000, "maxConnections")
            try check(maxBodyBytes, in: 0...(1 << 40), "maxBodyBytes")
            try check(maxHeadBytes, in: 1024...(16 << 20), "maxHeadBytes")
            try check(maxParameters, in: 1...100_000, "maxParameters")
            try check(maxDrainBytes, in: 0...(1 << 40), "maxDrainBytes")
            try check(headTimeout, "headTimeout")
            try check(bodyTimeout, "bodyTimeout")
            try check(handlerTimeout, "handlerTimeout")
            try check(idleTimeout, "idleTimeout")
            try check(writeTimeout, "writeTimeout")
            if let slowRequestTime { try check(slowRequestTime, "slowRequestTime") }
            guard shutdownGrace >= .zero, shutdownGrace <= .seconds(86_400) else {
                throw ConfigurationError(
                    field: "shutdownGrace",
                    reason: "\(shutdownGrace) is out of range",
                    remedy: "give 0 s to 1 day"
                )
            }
        }

        private func check(_ value: Int, in range: ClosedRange<Int>, _ field: String) throws(ConfigurationError) {
            guard range.contains(value) else {
                throw ConfigurationError(
                    field: field,
                    reason: "\(value) is out of range",
                    remedy: "give \(range.lowerBound) to \(range.upperBound)"
                )
            }
        }

        private func check(_ value: Duration, _ field: String) throws(ConfigurationError) {
            guard value >= .milliseconds(1), value <= .seconds(86_400) else {
                throw ConfigurationError(
                    field: field,
                    reason: "\(value) is out of range",
                    remedy: "give 1 ms to 1 day"
                )
            }
        }
    }
}
