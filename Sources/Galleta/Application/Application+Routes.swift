public import FastCGI
public import HTTPTypes
public import Sessions

// A closure literal in a program's main file would belong to the main actor and crash on a worker's thread; `@Sendable`
// in these signatures makes it belong to none, and the compiler checks what it captures.
extension Application {
    /// A handler that answers on the worker's thread.
    public typealias Handler = @Sendable (Request, Session) throws -> Response

    /// A handler that may suspend; it runs on the workers, and holds none while it waits. Its task is cancelled when nobody waits
    /// for its answer any more: past the handler timeout, when the client has gone, at the end of a stop.
    public typealias AsyncHandler = @Sendable (Request, Session) async throws -> Response

    /// Adds a route.
    ///
    /// - Parameters:
    ///   - method: Exactly this method; GET also answers HEAD, without the body.
    ///   - path: A path below the mount point. A segment `:name` matches any one segment
    ///     (`Request.pathParameters`), a last segment `*` the rest of the path. Literal segments win over
    ///     parameters, those over `*`. A path that ends with a slash is another path than the one without; one that was
    ///     sent with `.` or `..` at its end is neither. Literals are as `Request.path` has them (`/café`, `/50%`) and
    ///     compared byte by byte.
    ///   - touchesSession: False for what a page asks by itself again and again: it does not put off the session's end.
    ///   - handler: Answers; a string literal is a plain text response.
    public func on(
        _ method: HTTPRequest.Method, _ path: String, touchesSession: Bool = true, _ handler: @escaping Handler
    ) {
        routes.add(method, path, Endpoint(.sync(handler), touchesSession: touchesSession))
    }

    /// Adds a route with a handler that may suspend; see ``on(_:_:touchesSession:_:)-(_,_,_,Application.Handler)``.
    public func on(
        _ method: HTTPRequest.Method, _ path: String, touchesSession: Bool = true, _ handler: @escaping AsyncHandler
    ) {
        routes.add(method, path, Endpoint(.async(handler), touchesSession: touchesSession))
    }

    /// Adds a route for GET and HEAD.
    public func get(_ path: String, touchesSession: Bool = true, _ handler: @escaping Handler) {
        on(.get, path, touchesSession: touchesSession, handler)
    }

    /// Adds a route for GET and HEAD with a handler that may suspend.
    public func get(_ path: String, touchesSession: Bool = true, _ handler: @escaping AsyncHandler) {
        on(.get, path, touchesSession: touchesSession, handler)
    }

    /// Adds a route for POST.
    public func post(_ path: String, touchesSession: Bool = true, _ handler: @escaping Handler) {
        on(.post, path, touchesSession: touchesSession, handler)
    }

    /// Adds a route for POST with a handler that may suspend.
    public func post(_ path: String, touchesSession: Bool = true, _ handler: @escaping AsyncHandler) {
        on(.post, path, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PUT.
    public func put(_ path: String, touchesSession: Bool = true, _ handler: @escaping Handler) {
        on(.put, path, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PUT with a handler that may suspend.
    public func put(_ path: String, touchesSession: Bool = true, _ handler: @escaping AsyncHandler) {
        on(.put, path, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PATCH.
    public func patch(_ path: String, touchesSession: Bool = true, _ handler: @escaping Handler) {
        on(.patch, path, touchesSession: touchesSession, handler)
    }

    /// Adds a route for PATCH with a handler that may suspend.
    public func patch(_ path: String, touchesSession: Bool = true, _ handler: @escaping AsyncHandler) {
        on(.patch, path, touchesSession: touchesSession, handler)
    }

    /// Adds a route for DELETE.
    public func delete(_ path: String, touchesSession: Bool = true, _ handler: @escaping Handler) {
        on(.delete, path, touchesSession: touchesSession, handler)
    }

    /// Adds a route for DELETE with a handler that may suspend.
    public func delete(_ path: String, touchesSession: Bool = true, _ handler: @escaping AsyncHandler) {
        on(.delete, path, touchesSession: touchesSession, handler)
    }
}
