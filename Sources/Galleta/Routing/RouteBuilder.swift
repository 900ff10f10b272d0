public import FastCGI
public import HTTPTypes
public import Sessions

// Each kind of route is there for handlers that make a `Response`, so that `.json(…)` is enough, and for those that make
// anything else; sync and async.

/// What routes are added to: an application, or a group of its routes.
public protocol RouteBuilder: AnyObject {
    /// The group that routes go to.
    var routeGroup: RouteGroup { get }
}

extension RouteBuilder {
    /// A handler that answers on the worker's thread.
    public typealias Handler<Answer> = @Sendable (Request, Session) throws -> Answer

    /// A handler that may suspend; it runs on the workers, and holds none while it waits. Its task is cancelled when nobody waits
    /// for its answer any more: past the handler timeout, when the client has gone, at the end of a stop.
    public typealias AsyncHandler<Answer> = @Sendable (Request, Session) async throws -> Answer

    // MARK: Steps and groups

    /// Adds a step around the routes of this group; the first one added is the outermost. One of an application stands around
    /// the answers to unknown paths and methods and to bodies over the limit, too. See ``Step``.
    public func use(_ step: @escaping Step.Body) {
        routeGroup.add(Step(step))
    }

    /// Adds a step that may suspend; see ``use(_:)-(Step.Body)``.
    public func use(_ step: @escaping Step.AsyncBody) {
        routeGroup.add(Step(step))
    }

    /// Adds a step in both its forms; see ``Step/init(_:async:)``.
    public func use(_ step: @escaping Step.Body, async asyncStep: @escaping Step.AsyncBody) {
        routeGroup.add(Step(step, async: asyncStep))
    }

    /// Adds ready steps, the outermost first; see ``use(_:)-(Step.Body)``.
    public func use(_ steps: Step...) {
        for step in steps { routeGroup.add(step) }
    }

    /// Adds a group of routes below a prefix, inside the steps of this one.
    ///
    /// - Parameters:
    ///   - prefix: A path such as `/admin`; may be empty, and have parameters.
    ///   - build: Adds steps and routes; their paths go on from the prefix.
    public func group(_ prefix: String, _ build: (RouteGroup) throws -> Void) rethrows {
        try build(RouteGroup(prefix: prefix, in: routeGroup))
    }

    // MARK: Routes

    /// Adds a route.
    ///
    /// - Parameters:
    ///   - method: Exactly this method; GET also answers HEAD, without the body.
    ///   - path: A path below the group's prefix and the mount point. A segment `:name` matches any one segment
    ///     (`Request.pathParameters`), a last segment `*` the rest of the path. Literal segments win over
    ///     parameters, those over `*`. A path that ends with a slash is another path than the one without; one that was
    ///     sent with `.` or `..` at its end is neither. Literals are as `Request.path` has them (`/café`, `/50%`) and
    ///     compared byte by byte. In a group the path `/` is the prefix itself, and an empty one too.
    ///   - steps: Around this route, inside those of its group; the first is the outermost.
    ///   - maxBodyBytes: The longest body that it takes, in place of the group's limit; a larger one is 413, and nothing of it
    ///     is kept.
    ///   - touchesSession: False for what a page asks by itself again and again: it does not put off the session's end.
    ///   - handler: Answers; a string literal is a plain text response.
    public func on(
        _ method: HTTPRequest.Method, _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil,
        touchesSession: Bool = true, _ handler: @escaping Handler<Response>
    ) {
        routeGroup.add(method, path, steps, maxBodyBytes, touchesSession, .sync(handler))
    }

    /// Adds a route with a handler that makes anything ``ResponseConvertible``; else as `on(_:_:steps:maxBodyBytes:touchesSession:_:)`.
    @inlinable
    public func on<Answer: ResponseConvertible>(
        _ method: HTTPRequest.Method, _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil,
        touchesSession: Bool = true, _ handler: @escaping Handler<Answer>
    ) {
        // Where it is called the type is known, and nothing is generic at a request.
        let convert: Handler<Response> = { request, session in
            try handler(request, session).response(to: request)
        }
        on(method, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, convert)
    }

    /// Adds a route with a handler that may suspend; else as `on(_:_:steps:maxBodyBytes:touchesSession:_:)`.
    public func on(
        _ method: HTTPRequest.Method, _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil,
        touchesSession: Bool = true, _ handler: @escaping AsyncHandler<Response>
    ) {
        routeGroup.add(method, path, steps, maxBodyBytes, touchesSession, .async(handler))
    }

    /// Adds a route with a handler that may suspend and makes anything ``ResponseConvertible``.
    @inlinable
    public func on<Answer: ResponseConvertible>(
        _ method: HTTPRequest.Method, _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil,
        touchesSession: Bool = true, _ handler: @escaping AsyncHandler<Answer>
    ) {
        let convert: AsyncHandler<Response> = { request, session in
            try await handler(request, session).response(to: request)
        }
        on(method, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, convert)
    }

    /// Adds a route with a handler in both its forms, which do the same: the one runs where a request is answered on its worker,
    /// the other where it is a task; else as `on(_:_:steps:maxBodyBytes:touchesSession:_:)`.
    ///
    /// For what acts on the session in its midst (`update`): it costs no task where sessions are in memory, and holds no worker
    /// where their store is awaited (`AsyncSessionProvider`).
    public func on(
        _ method: HTTPRequest.Method, _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil,
        touchesSession: Bool = true, _ handler: @escaping Handler<Response>,
        async asyncHandler: @escaping AsyncHandler<Response>
    ) {
        routeGroup.add(method, path, steps, maxBodyBytes, touchesSession, .either(handler, asyncHandler))
    }

    /// Adds a route with a handler in both its forms that makes anything ``ResponseConvertible``.
    @inlinable
    public func on<Answer: ResponseConvertible>(
        _ method: HTTPRequest.Method, _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil,
        touchesSession: Bool = true, _ handler: @escaping Handler<Answer>,
        async asyncHandler: @escaping AsyncHandler<Answer>
    ) {
        let convert: Handler<Response> = { request, session in
            try handler(request, session).response(to: request)
        }
        let convertAsync: AsyncHandler<Response> = { request, session in
            try await asyncHandler(request, session).response(to: request)
        }
        on(
            method, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, convert,
            async: convertAsync)
    }

    /// Adds a route for GET and HEAD; see `on(_:_:steps:maxBodyBytes:touchesSession:_:)`.
    public func get(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping Handler<Response>
    ) {
        on(.get, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for GET and HEAD, with a handler that makes anything ``ResponseConvertible``.
    @inlinable
    public func get<Answer: ResponseConvertible>(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping Handler<Answer>
    ) {
        on(.get, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for GET and HEAD, with a handler that may suspend.
    public func get(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping AsyncHandler<Response>
    ) {
        on(.get, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for GET and HEAD, with a handler that may suspend and makes anything ``ResponseConvertible``.
    @inlinable
    public func get<Answer: ResponseConvertible>(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping AsyncHandler<Answer>
    ) {
        on(.get, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for POST; see `on(_:_:steps:maxBodyBytes:touchesSession:_:)`.
    public func post(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping Handler<Response>
    ) {
        on(.post, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for POST, with a handler that makes anything ``ResponseConvertible``.
    @inlinable
    public func post<Answer: ResponseConvertible>(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping Handler<Answer>
    ) {
        on(.post, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for POST, with a handler that may suspend.
    public func post(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping AsyncHandler<Response>
    ) {
        on(.post, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for POST, with a handler that may suspend and makes anything ``ResponseConvertible``.
    @inlinable
    public func post<Answer: ResponseConvertible>(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping AsyncHandler<Answer>
    ) {
        on(.post, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PUT; see `on(_:_:steps:maxBodyBytes:touchesSession:_:)`.
    public func put(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping Handler<Response>
    ) {
        on(.put, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PUT, with a handler that makes anything ``ResponseConvertible``.
    @inlinable
    public func put<Answer: ResponseConvertible>(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping Handler<Answer>
    ) {
        on(.put, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PUT, with a handler that may suspend.
    public func put(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping AsyncHandler<Response>
    ) {
        on(.put, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PUT, with a handler that may suspend and makes anything ``ResponseConvertible``.
    @inlinable
    public func put<Answer: ResponseConvertible>(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping AsyncHandler<Answer>
    ) {
        on(.put, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PATCH; see `on(_:_:steps:maxBodyBytes:touchesSession:_:)`.
    public func patch(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping Handler<Response>
    ) {
        on(.patch, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PATCH, with a handler that makes anything ``ResponseConvertible``.
    @inlinable
    public func patch<Answer: ResponseConvertible>(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping Handler<Answer>
    ) {
        on(.patch, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PATCH, with a handler that may suspend.
    public func patch(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping AsyncHandler<Response>
    ) {
        on(.patch, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PATCH, with a handler that may suspend and makes anything ``ResponseConvertible``.
    @inlinable
    public func patch<Answer: ResponseConvertible>(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping AsyncHandler<Answer>
    ) {
        on(.patch, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for DELETE; see `on(_:_:steps:maxBodyBytes:touchesSession:_:)`.
    public func delete(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping Handler<Response>
    ) {
        on(.delete, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for DELETE, with a handler that makes anything ``ResponseConvertible``.
    @inlinable
    public func delete<Answer: ResponseConvertible>(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping Handler<Answer>
    ) {
        on(.delete, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for DELETE, with a handler that may suspend.
    public func delete(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping AsyncHandler<Response>
    ) {
        on(.delete, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    /// Adds a route for DELETE, with a handler that may suspend and makes anything ``ResponseConvertible``.
    @inlinable
    public func delete<Answer: ResponseConvertible>(
        _ path: String, steps: [Step] = [], maxBodyBytes: Int? = nil, touchesSession: Bool = true,
        _ handler: @escaping AsyncHandler<Answer>
    ) {
        on(.delete, path, steps: steps, maxBodyBytes: maxBodyBytes, touchesSession: touchesSession, handler)
    }

    // MARK: Files

    /// Serves the files below a folder, where no location of the web server does: with type, `ETag`, 304, ranges, HEAD; see
    /// `Response.file(_:for:type:)`. Sessions are not looked at.
    ///
    /// Hidden files (`.env`, `.git`) and symbolic links below the folder are not there; the folder itself may be a link, and
    /// is looked up at each request.
    ///
    /// - Parameters:
    ///   - path: Where they are, such as `/static`.
    ///   - folder: An absolute path.
    ///   - index: The file that stands for its folder, such as `index.html`; nil is none.
    ///   - maxAge: How long clients use a file without asking, in whole seconds; nil is that they ask each time.
    public func files(_ path: String, from folder: String, index: String? = nil, maxAge: Duration? = nil) {
        let files = StaticFiles(folder: folder, index: index, maxAge: maxAge)
        let path = path.utf8.last == UInt8(ascii: "/") ? String(path.dropLast()) : path
        get(path + "/*", touchesSession: false) { request, _ in
            try files.response(to: request, rest: request.pathParameters["*"] ?? "")
        }
    }
}

extension RouteGroup {
    fileprivate func add(
        _ method: HTTPRequest.Method, _ path: String, _ steps: [Step], _ maxBodyBytes: Int?, _ touchesSession: Bool,
        _ action: Endpoint.Action
    ) {
        // The prefix itself, where that is not the root.
        let path = !scope.prefix.isEmpty && path == "/" ? scope.prefix : scope.prefix + path
        list.routes.append(
            RouteList.Route(
                method: method, path: path, scope: scope, steps: steps, maxBodyBytes: maxBodyBytes, action: action,
                touchesSession: touchesSession))
    }
}
