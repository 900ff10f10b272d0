public import FastCGI
public import HTTPTypes

extension Request {
    /// A request for a test of a function that takes one; no server is there, and no route.
    ///
    /// ```swift
    /// let order = try Order(.test(.post, "/orders", form: ["item": "7"]))
    /// ```
    ///
    /// It is checked and parsed as in production. Its body can be read as long as it lives.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - path: The path, mount point included; it may have a query.
    ///   - form: Fields of a form, for the body.
    ///   - json: A value, for a body in JSON.
    ///   - content: Any other body. At most one of the three.
    ///   - query: Fields that are added to the query.
    ///   - headers: Header fields.
    ///   - pathParameters: What a route would have taken out of the path.
    ///   - configuration: Mount point and limits.
    /// - Throws: `HTTPStatusError` for a request that no handler would see, such as one of a malformed path;
    ///   `EncodingError` for a value that JSON cannot hold.
    public static func test(
        _ method: HTTPRequest.Method, _ path: String, form: FormFields? = nil, json: (any Encodable)? = nil,
        content: TestContent? = nil, query: FormFields = [:], headers: HTTPFields = [:],
        pathParameters: KeyValuePairs<ByteString, String> = [:],
        configuration: Server.Configuration = Server.Configuration()
    ) throws -> Request {
        var request = try test(
            TestRequest(method, path, query: query, headers: headers, form: form, json: json, content: content),
            configuration: configuration)
        request.captures = pathParameters.map { ($0.key, $0.value) }
        return request
    }

    /// As ``test(_:_:form:json:content:query:headers:pathParameters:configuration:)``, for what needs more: an address, HTTPS,
    /// FastCGI parameters.
    public static func test(
        _ request: TestRequest, configuration: Server.Configuration = Server.Configuration()
    ) throws -> Request {
        let records = request.records(
            TestClient.Settings(), mount: configuration.mount.path, cookie: nil, id: "test")
        return try .read(from: records, configuration)
    }
}
