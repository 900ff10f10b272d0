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
        /// Both do the same; which one runs depends on where the request is answered.
        case either(Body, AsyncBody)
    }

    /// What can be said before the body is there.
    private(set) var check: Check?
    let action: Action?

    /// A step on the worker's thread. In front of an async handler, or of a commit to a store that is awaited, it holds its
    /// worker until they are through: give it an async form there.
    public init(_ body: @escaping Body) {
        action = .sync(body)
    }

    /// A step that may suspend. Where there is one, the request becomes a task.
    public init(_ body: @escaping AsyncBody) {
        action = .async(body)
    }

    /// A step in both its forms, which do the same: the one runs where a request is answered on its worker, the other where it
    /// is a task. So it costs sync handlers no task, and behind it handlers may suspend, and a session store may be awaited
    /// (`AsyncSessionProvider`).
    public init(_ body: @escaping Body, async asyncBody: @escaping AsyncBody) {
        action = .either(body, asyncBody)
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

    /// A check of the head, and one that throws when the body is there.
    static func check(_ check: @escaping Check, then bodyCheck: @escaping @Sendable (Request, Session) throws -> Void)
        -> Step
    {
        Step(
            check: check,
            action: .either(
                { request, session, next in
                    try bodyCheck(request, session)
                    return next(request, session)
                },
                { request, session, next in
                    try bodyCheck(request, session)
                    return await next(request, session)
                }))
    }

    /// Whether it can be part of a task only.
    var isAsync: Bool {
        if case .async = action { true } else { false }
    }

    /// Whether it holds its thread until what is behind it has answered.
    var isSync: Bool {
        if case .sync = action { true } else { false }
    }
}
