public import FastCGI
public import HTTPTypes

// Each method is there for sync and for async tests, and throws what `send` does.
extension TestClient {
    /// GET.
    public func get(_ path: String, query: FormFields = [:], headers: HTTPFields = [:]) throws -> TestReply {
        try send(TestRequest(.get, path, query: query, headers: headers))
    }

    /// GET.
    public func get(_ path: String, query: FormFields = [:], headers: HTTPFields = [:]) async throws -> TestReply {
        try await send(TestRequest(.get, path, query: query, headers: headers))
    }

    /// HEAD.
    public func head(_ path: String, query: FormFields = [:], headers: HTTPFields = [:]) throws -> TestReply {
        try send(TestRequest(.head, path, query: query, headers: headers))
    }

    /// HEAD.
    public func head(_ path: String, query: FormFields = [:], headers: HTTPFields = [:]) async throws -> TestReply {
        try await send(TestRequest(.head, path, query: query, headers: headers))
    }

    /// DELETE.
    public func delete(_ path: String, query: FormFields = [:], headers: HTTPFields = [:]) throws -> TestReply {
        try send(TestRequest(.delete, path, query: query, headers: headers))
    }

    /// DELETE.
    public func delete(
        _ path: String, query: FormFields = [:], headers: HTTPFields = [:]
    ) async throws -> TestReply {
        try await send(TestRequest(.delete, path, query: query, headers: headers))
    }

    /// POST.
    ///
    /// - Parameters:
    ///   - path: The path, mount point included; it may have a query.
    ///   - form: Fields of a form, for the body.
    ///   - json: A value, for a body in JSON.
    ///   - content: Any other body, such as `.multipart`. At most one of the three.
    ///   - query: Fields that are added to the query.
    ///   - headers: Header fields.
    public func post(
        _ path: String, form: FormFields? = nil, json: (any Encodable)? = nil, content: TestContent? = nil,
        query: FormFields = [:], headers: HTTPFields = [:]
    ) throws -> TestReply {
        try send(
            TestRequest(.post, path, query: query, headers: headers, form: form, json: json, content: content))
    }

    /// POST; the parameters are those of the sync one.
    public func post(
        _ path: String, form: FormFields? = nil, json: (any Encodable)? = nil, content: TestContent? = nil,
        query: FormFields = [:], headers: HTTPFields = [:]
    ) async throws -> TestReply {
        try await send(
            TestRequest(.post, path, query: query, headers: headers, form: form, json: json, content: content))
    }

    /// PUT; the parameters are those of POST.
    public func put(
        _ path: String, form: FormFields? = nil, json: (any Encodable)? = nil, content: TestContent? = nil,
        query: FormFields = [:], headers: HTTPFields = [:]
    ) throws -> TestReply {
        try send(TestRequest(.put, path, query: query, headers: headers, form: form, json: json, content: content))
    }

    /// PUT; the parameters are those of POST.
    public func put(
        _ path: String, form: FormFields? = nil, json: (any Encodable)? = nil, content: TestContent? = nil,
        query: FormFields = [:], headers: HTTPFields = [:]
    ) async throws -> TestReply {
        try await send(
            TestRequest(.put, path, query: query, headers: headers, form: form, json: json, content: content))
    }

    /// PATCH; the parameters are those of POST.
    public func patch(
        _ path: String, form: FormFields? = nil, json: (any Encodable)? = nil, content: TestContent? = nil,
        query: FormFields = [:], headers: HTTPFields = [:]
    ) throws -> TestReply {
        try send(
            TestRequest(.patch, path, query: query, headers: headers, form: form, json: json, content: content))
    }

    /// PATCH; the parameters are those of POST.
    public func patch(
        _ path: String, form: FormFields? = nil, json: (any Encodable)? = nil, content: TestContent? = nil,
        query: FormFields = [:], headers: HTTPFields = [:]
    ) async throws -> TestReply {
        try await send(
            TestRequest(.patch, path, query: query, headers: headers, form: form, json: json, content: content))
    }
}
