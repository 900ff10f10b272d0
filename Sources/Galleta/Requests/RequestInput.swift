public import FastCGI
internal import HTTPTypes
internal import Sessions

// What a handler demands of a request: where it is not so, the answer is 400 (or 415) and names what is at fault.

extension FormFields {
    /// The value of the first field of this name, which may be empty.
    ///
    /// - Throws: ``HTTPError`` of status 400 that names the field when it was not sent.
    public func require(_ name: ByteString) throws(HTTPError) -> String {
        guard let value = self[name] else {
            throw HTTPError(.badRequest, "the field \"\(name)\" is missing")
        }
        return value
    }
}

extension Request {
    /// Reads the body as a value in JSON (RFC 8259).
    ///
    /// - Parameter type: What is expected; `SessionValue` takes any JSON.
    /// - Throws: `SessionError` of code `invalidEncoding` for what is no JSON, and `DecodingError` for a field that is missing
    ///   or of another type: both are answered with 400 and say what is at fault. ``HTTPError`` of status 415 where
    ///   `Content-Type` is not JSON: a form of another site can send everything but that without asking.
    ///   `RequestBodyError` as `RequestBody.read(into:)`.
    public func json<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        guard Self.isJSON(contentType) else {
            throw HTTPError(.unsupportedMediaType, "send JSON, with \"Content-Type: application/json\"")
        }
        let bytes = try body.collect()
        return try SessionValue(json: bytes).decode(Value.self)
    }

    private static func isJSON(_ contentType: String?) -> Bool {
        let type = (contentType ?? "").prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        return type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
    }
}
