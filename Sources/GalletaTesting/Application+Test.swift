public import FastCGI
public import Galleta
internal import Logging
internal import MemorySessions
public import Sessions
public import SessionsTesting

extension Application {
    /// Serves this application to a test, in this process and without a socket's address, until the test's closure returns.
    ///
    /// ```swift
    /// @Test func visits() throws {
    ///     try makeApplication().test { client in
    ///         #expect(try client.get("/visits").text == "Visit 1\n")
    ///         #expect(try client.get("/visits").text == "Visit 2\n")
    ///     }
    /// }
    /// ```
    ///
    /// Starting and stopping takes about a millisecond and leaves no thread behind. The sessions stay: the application can be
    /// tested again, and be served. The hooks of ``onStart(_:)`` and ``onShutdown(_:)`` run before and after.
    ///
    /// Swift does not look into `#expect` for what a closure throws: one with nothing else that throws has to say so,
    /// `{ client throws in`.
    ///
    /// - Parameters:
    ///   - clock: What the lifetime of cookies is measured with. By default the clock of a memory provider, and that of the
    ///     machine for others.
    ///   - body: The test; ``TestClient/another()`` has further clients.
    /// - Throws: `ConfigurationError` of the configuration; what `body` throws; ``TestClientError`` when a handler has not
    ///   returned within a second of the end of `body`.
    public func test<Result>(clock: SessionClock? = nil, _ body: (TestClient) throws -> Result) throws -> Result {
        let server = try TestServer(self, clock: clock)
        try server.start()
        let result: Result
        do {
            result = try body(TestClient(server))
        } catch {
            // What the test has to say comes first.
            try? server.stop()
            throw error
        }
        try server.stop()
        return result
    }

    /// Serves this application to an async test; else as ``test(clock:_:)-(_,(TestClient)throws->Result)``.
    nonisolated(nonsending)
        public func test<Result>(
            clock: SessionClock? = nil, _ body: nonisolated(nonsending) (TestClient) async throws -> Result
        ) async throws -> Result
    {
        let server = try TestServer(self, clock: clock)
        try await Aside.run { try server.start() }
        let result: Result
        do {
            result = try await body(TestClient(server))
        } catch {
            try? await Aside.run { try server.stop() }
            throw error
        }
        try await Aside.run { try server.stop() }
        return result
    }

    /// Serves this application as long as the client, or another one or a stream of it, is held: for helpers that return
    /// one. Else as ``test(clock:_:)-(_,(TestClient)throws->Result)``, except that nobody learns of handlers that do not return.
    ///
    /// - Parameter clock: What the lifetime of cookies is measured with. By default the clock of a memory provider, and that
    ///   of the machine for others.
    /// - Throws: `ConfigurationError` of the configuration.
    public func testClient(clock: SessionClock? = nil) throws -> TestClient {
        let server = try TestServer(self, clock: clock)
        try server.start()
        return TestClient(server)
    }

    /// An application for a test: with sessions in memory, on a clock that the test moves, and with a log that goes nowhere.
    ///
    /// - Parameters:
    ///   - time: The clock of sessions and cookies.
    ///   - sessions: How sessions behave.
    ///   - configuration: Mount point, limits.
    /// - Throws: `ConfigurationError` that names the field.
    public static func testing(
        time: ManualSessionClock = ManualSessionClock(), sessions: SessionConfiguration = SessionConfiguration(),
        configuration: Server.Configuration = Server.Configuration()
    ) throws -> Application {
        Application(
            sessions: try .testing(time: time, sessions), configuration: configuration,
            logger: Logger(label: "galleta.testing") { _ in SwiftLogNoOpLogHandler() })
    }
}

extension SessionManager {
    /// Sessions in memory for a test, on a clock that the test moves.
    ///
    /// - Parameters:
    ///   - time: The clock.
    ///   - configuration: How sessions behave.
    /// - Throws: `ConfigurationError` that names the field.
    public static func testing(
        time: ManualSessionClock = ManualSessionClock(), _ configuration: SessionConfiguration = SessionConfiguration()
    ) throws -> SessionManager {
        var memory = MemoryProvider.Configuration()
        memory.clock = time.clock
        // Expired sessions are as good as gone; nothing shall happen beside the test.
        memory.collectsInBackground = false
        var configuration = configuration
        configuration.clock = time.clock
        return try SessionManager(provider: MemoryProvider(configuration: memory), configuration: configuration)
    }
}
