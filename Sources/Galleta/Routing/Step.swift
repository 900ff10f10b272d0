public import FastCGI
public import Sessions

// A closure literal in a program's main file would belong to the main actor and crash on a worker's thread; `@Sendable`
// in these signatures makes it belong to none, and the compiler checks what it captures.

/// What stands around a route, a group of them or all: a check, a header, a measurement.
///
/// ```swift
/// app.use { request, session, next in          // around all, and around the answers to unknown paths
///     var response = next(request, session)
///     response.headers[.server] = "shop"
///     return response
/// }
/// app.group("/admin") { admin in
///     admin.use(.requireUser(logInAt: "/login"))
///     admin.post("/prices", steps: [.requireCSRF()]) { request, session in … }
/// }
/// ```
///
/// A step answers by itself, or calls `next` and returns what that gives, changed or not. `next` does not throw: errors are
/// responses by then, and what the failed handler did to the session is rolled back. What a step throws becomes a response in
/// the same way.
public struct Step: Sendable {
    /// A step on the worker's thread.
    public typealias Body = @Sendable (Request, Session, Next) throws -> Response

    /// A step that may suspend.
    public typealias AsyncBody = @Sendable (Request, Session, AsyncNext) async throws -> Response

    /// The rest of the way: the following steps and the route. Errors in there are responses when they come out.
    public typealias Next = (Request, Session) -> Response

    /// The rest of the way: the following steps and the route. Errors in there are responses when they come out.
    public typealias AsyncNext = @Sendable (Request, Session) async -> Response

    /// Refuses a request by returning a response, or by throwing; nil lets it pass.
    public typealias Check = @Sendable (Request, Session) throws -> Response?

    enum Action: Sendable {
        case sync(Body)
        case async(AsyncBody)
    }

    /// What can be said before the body is there.
    private(set) var check: Check?
    let action: Action?

    /// A step on the worker's thread. In front of an async handler it holds its worker until the handler has answered: make
    /// it async there.
    public init(_ body: @escaping Body) {
        action = .sync(body)
    }

    /// A step that may suspend. Where there is one, the request becomes a task.
    public init(_ body: @escaping AsyncBody) {
        action = .async(body)
    }

    private init(check: @escaping Check, action: Action?) {
        self.check = check
        self.action = action
    }

    /// A step that lets pass or refuses, by the head of the request and its session alone.
    ///
    /// Where the request brings a body that would not stay in memory, it is asked before that is taken: who may not upload
    /// fills no disk. It is asked again when all is there; the answer goes out then, through the steps around.
    ///
    /// - Parameter check: Must not read the body.
    public static func check(_ check: @escaping Check) -> Step {
        Step(check: check, action: nil)
    }

    /// A check of the head, and a step when the body is there.
    static func check(_ check: @escaping Check, then body: @escaping Body) -> Step {
        Step(check: check, action: .sync(body))
    }

    var isAsync: Bool {
        if case .async = action { true } else { false }
    }
}
