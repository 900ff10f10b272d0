internal import FastCGI
internal import GalletaPlatform
public import HTTPTypes
public import Sessions

/// A browser of one visitor, without a screen: it sends requests to the application under test and keeps its cookies.
///
/// Inside `Application.test`. A request takes the way of production: its records are checked, libfcgi parses them, a worker
/// runs the handler, and the answer is read out of the records that a web server would get.
///
/// ```swift
/// try app.test { client in
///     let reply = try client.post("/cart", form: ["item": "7"])
///     #expect(reply.status == .seeOther)
///     #expect(try client.follow(reply).text.contains("figs"))
/// }
/// ```
///
/// What throws is a request without an answer; an answer of status 500 is one, and ``TestReply/errors`` says why it came.
///
/// Each method that waits is there twice. In an async test the async ones are taken, which hold none of the threads that
/// tasks share: a handler that needs one gets it. The others block their caller.
///
/// Threading: any thread and task, several at a time; each request has a connection of its own.
public final class TestClient: Sendable {
    let server: TestServer

    private struct State {
        var jar = CookieJar()
        var settings = Settings()
    }

    /// What requests of a client have in common.
    struct Settings {
        var isSecure = false
        var host = "localhost"
        var remoteAddress = "192.0.2.1"
        var headers = HTTPFields()
        var timeout = Duration.seconds(10)
    }

    private let state = Locked(State())

    init(_ server: TestServer) {
        self.server = server
    }

    /// Another visitor's browser, without cookies and with the default settings.
    public func another() -> TestClient { TestClient(server) }

    // MARK: Settings

    /// Whether requests come by HTTPS. Default: false; a cookie that is `Secure` is not taken then.
    public var isSecure: Bool {
        get { settings.isSecure }
        set { state.withLock { $0.settings.isSecure = newValue } }
    }

    /// The host that requests are for. Default: `localhost`.
    public var host: String {
        get { settings.host }
        set { state.withLock { $0.settings.host = newValue } }
    }

    /// The address that requests come from. Default: `192.0.2.1`.
    public var remoteAddress: String {
        get { settings.remoteAddress }
        set { state.withLock { $0.settings.remoteAddress = newValue } }
    }

    /// Header fields of every request; one that a request has itself is not sent twice. Default: none.
    public var headers: HTTPFields {
        get { settings.headers }
        set { state.withLock { $0.settings.headers = newValue } }
    }

    /// Longest wait for an answer, and of a stream for its next bytes. Default: 10 s.
    public var timeout: Duration {
        get { settings.timeout }
        set { state.withLock { $0.settings.timeout = newValue } }
    }

    var settings: Settings { state.withLock { $0.settings } }

    var deadline: BootInstant { .now.advanced(by: timeout) }

    // MARK: Cookies

    /// The cookies that the client holds now.
    public var cookies: [TestCookie] {
        let now = server.clock.now
        return state.withLock { state in
            state.jar.expire(at: now)
            return state.jar.cookies
        }
    }

    /// The value of the cookie of this name; nil when there is none.
    public func cookie(_ name: String) -> String? {
        cookies.first { ByteString($0.name) == ByteString(name) }?.value
    }

    /// Gives the client a cookie for all paths of its host, or takes it away.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - value: The value; nil removes every cookie of this name.
    public func setCookie(_ name: String, _ value: String?) {
        let now = server.clock.now
        state.withLock { state in
            if let value {
                state.jar.set(TestCookie(name, value, domain: state.settings.host), at: now)
            } else {
                for cookie in state.jar.cookies where ByteString(cookie.name) == ByteString(name) {
                    var cookie = cookie
                    cookie.end = .zero
                    state.jar.set(cookie, at: now)
                }
            }
        }
    }

    /// Forgets all cookies: a visitor who comes back with a fresh browser.
    public func removeCookies() {
        state.withLock { $0.jar.removeAll() }
    }

    /// Takes the cookies of an answer; returns why some were not taken.
    func store(_ fields: [String], of request: TestRequest, isSecure: Bool) -> [String] {
        guard !fields.isEmpty else { return [] }
        let now = server.clock.now
        return state.withLock { state in
            state.jar.store(
                fields,
                from: .init(host: state.settings.host, path: request.path, isSecure: isSecure, now: now))
        }
    }

    // MARK: Sending

    /// A request as it goes out.
    struct Sending {
        let records: [UInt8]
        let id: String
        let isSecure: Bool
    }

    func sending(_ request: TestRequest) -> Sending {
        let now = server.clock.now
        let (settings, cookie) = state.withLock { state in
            let isSecure = request.isSecure ?? state.settings.isSecure
            let origin = TestCookie.Origin(
                host: state.settings.host, path: request.path, isSecure: isSecure, now: now)
            return (state.settings, state.jar.header(for: origin))
        }
        let id = request.parameter("REQUEST_ID") ?? server.nextID()
        let records = request.records(settings, mount: server.mount, cookie: cookie, id: id)
        return Sending(records: records, id: id, isSecure: request.isSecure ?? settings.isSecure)
    }

    /// Sends a request and returns the whole answer.
    ///
    /// - Throws: ``TestClientError`` when there is none, or it breaks off.
    public func send(_ request: TestRequest) throws -> TestReply {
        try TestStream(self, request).collect()
    }

    /// Sends a request and returns the whole answer, without holding a thread of the test's.
    public func send(_ request: TestRequest) async throws -> TestReply {
        try await cancellable { cancellation in
            try TestStream(self, request, onConnect: cancellation.cover).collect()
        }
    }

    /// Sends a request and returns its answer once the header is there, for content that comes bit by bit.
    ///
    /// - Throws: ``TestClientError`` when there is no answer.
    public func open(_ request: TestRequest) throws -> TestStream {
        try TestStream(self, request)
    }

    /// Sends a request and returns its answer once the header is there, without holding a thread of the test's.
    public func open(_ request: TestRequest) async throws -> TestStream {
        try await cancellable { [self] cancellation in
            try TestStream(self, request, onConnect: cancellation.cover)
        }
    }

    private func cancellable<Result: Sendable>(
        _ work: @escaping @Sendable (RequestCancellation) throws -> Result
    ) async throws -> Result {
        let cancellation = RequestCancellation()
        do {
            return try await Aside.run {
                try work(cancellation)
            } onCancel: {
                cancellation.cancel()
            }
        } catch {
            try Task.checkCancellation()
            throw error
        }
    }

    // MARK: The session

    /// What the store holds now for this client's cookie; nil when that leads to no session, or there is none.
    ///
    /// To look at, not to change: nothing of it is committed. See ``withSession(_:)``. While the store is down there is a
    /// session, which throws when it is used.
    public var session: Session? {
        let candidates = candidates
        guard !candidates.isEmpty else { return nil }
        if let findings = try? server.sessions.provider.lookUp(candidates), !findings.contains(where: \.isSession) {
            return nil
        }
        return server.sessions.open(candidates, isSecure: isSecure)
    }

    /// Changes the client's session as a handler would, and commits it: to begin a test in the middle of a visit.
    ///
    /// ```swift
    /// try client.withSession { try $0.logIn(user: "ada") }
    /// ```
    ///
    /// - Parameter body: Where it throws nothing is committed.
    public func withSession<Result>(_ body: (Session) throws -> Result) throws -> Result {
        let isSecure = isSecure
        let session = server.sessions.open(candidates, isSecure: isSecure)
        let result = try body(session)
        let commit = try session.commit()
        let path = server.sessions.cookie.path
        _ = store(commit.setCookie.map { [$0] } ?? [], of: TestRequest(.get, path), isSecure: isSecure)
        return result
    }

    /// A token for a form of the client's session, as a page would have it; see `Step.requireCSRF`.
    ///
    /// ```swift
    /// try client.post("/cart", form: ["csrf": client.csrfToken(), "item": "figs"])
    /// ```
    public func csrfToken() throws -> String {
        try withSession { try $0.csrfToken() }
    }

    private var candidates: SessionIDCandidates {
        let name = ByteString(server.sessions.cookie.name)
        var candidates = SessionIDCandidates()
        for cookie in cookies where ByteString(cookie.name) == name {
            Array("\(cookie.name)=\(cookie.value)".utf8).withUnsafeBytes {
                server.sessions.collectIDs(from: $0, into: &candidates)
            }
        }
        return candidates
    }
}

extension SessionFinding {
    fileprivate var isSession: Bool {
        if case .found = self { true } else { false }
    }
}
