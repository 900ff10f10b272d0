import FastCGI
import Logging
import TestSupport

extension RunningServer {
    /// A server of two workers.
    convenience init(
        _ configure: (inout Server.Configuration) -> Void = { _ in },
        observer: Server.Observer? = nil,
        log: CapturedLog? = nil,
        admission: Server.Admission? = nil,
        handler: @escaping Server.Handler
    ) throws {
        try self.init(log: log) { listener, logger in
            try Server(
                configuration: Self.configuration(configure), listeners: [listener], logger: logger,
                observer: observer, admission: admission, handler: handler)
        }
    }

    /// A server of two workers, whose handler may suspend.
    convenience init(
        _ configure: (inout Server.Configuration) -> Void = { _ in },
        observer: Server.Observer? = nil,
        log: CapturedLog? = nil,
        asyncHandler: @escaping Server.AsyncHandler
    ) throws {
        try self.init(log: log) { listener, logger in
            try Server(
                configuration: Self.configuration(configure), listeners: [listener], logger: logger,
                observer: observer, asyncHandler: asyncHandler)
        }
    }

    private static func configuration(_ configure: (inout Server.Configuration) -> Void) -> Server.Configuration {
        var configuration = Server.Configuration()
        configuration.workers = 2
        configuration.shutdownGrace = .seconds(5)
        configure(&configuration)
        return configuration
    }
}
