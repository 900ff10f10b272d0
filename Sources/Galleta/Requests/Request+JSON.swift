public import FastCGI
internal import HTTPTypes
internal import Sessions

extension Request {
    /// Reads the body as a value in JSON (RFC 8259).
    ///
    /// - Parameter type: What is expected; `SessionValue` takes any JSON.
    /// - Throws: ``HTTPError`` of status 400 for what is no JSON, and for a field that is missing or of another type, which
    ///   it names; of status 415 where `Content-Type` is not JSON: a form of another site can send everything but that
    ///   without asking. `RequestBodyError` as `RequestBody.read(into:)`.
    public func json<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        guard Self.isJSON(contentType) else {
            throw HTTPError(.unsupportedMediaType, "send JSON, with \"Content-Type: application/json\"")
        }
        let bytes = try body.collect()
        do {
            return try SessionValue(json: bytes).decode(Value.self)
        } catch let error as SessionError {
            throw HTTPError(.badRequest, error.message)
        } catch let error as DecodingError {
            throw HTTPError(.badRequest, Self.description(of: error))
        }
    }

    private static func isJSON(_ contentType: String?) -> Bool {
        let type = (contentType ?? "").prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        return type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
    }

    private static func description(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "the field \"\(path(context.codingPath + [key]))\" is missing"
        case .valueNotFound(_, let context): "the field \"\(path(context.codingPath))\" is missing"
        case .typeMismatch(_, let context), .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "the JSON has not the expected form"
                : "the field \"\(path(context.codingPath))\" has not the expected form"
        @unknown default: "the JSON has not the expected form"
        }
    }

    /// `items[2].price`
    private static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce("") { path, key in
            if let index = key.intValue { return "\(path)[\(index)]" }
            return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
        }
    }
}
