public import FastCGI
public import GalletaPlatform
internal import HTTPTypes
internal import Sessions

// What a handler demands of a request: where it is not so, the answer is 400 (404 for a path, 415 for a kind of body) and
// names what is at fault.

extension Request {
    /// Reads the body as a value: JSON (RFC 8259) or a form, by its Content-Type.
    ///
    /// ```swift
    /// struct Order: Codable { var item: Int; var count: Int; var gift: Bool; var tags: [String]; var by: Date? }
    /// let order = try request.decode(Order.self)
    /// ```
    ///
    /// Of a form texts stand for numbers and booleans, a field that was sent several times for an array, one that is empty for
    /// nil; what is missing is false or an empty array. Dates are texts (ISO 8601) in both. Files are in `form()`.
    ///
    /// - Throws: `DecodingError` for a field that is missing or of another type, and `SessionError` of code `invalidEncoding` for
    ///   what is no JSON: both are answered with 400 and name what is at fault. ``HTTPError`` of status 415 for another
    ///   Content-Type; `FormError` and `RequestBodyError` as `form()`.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        switch mediaType {
        case let type where Self.isJSON(type): return try json()
        case "application/x-www-form-urlencoded", "multipart/form-data": return try form().fields.decode()
        default:
            throw HTTPError(
                .unsupportedMediaType,
                "send JSON, with \"Content-Type: application/json\", or a form, as application/x-www-form-urlencoded or "
                    + "multipart/form-data")
        }
    }

    /// Reads the body as a value in JSON (RFC 8259).
    ///
    /// - Parameter type: What is expected; `SessionValue` takes any JSON. Dates are texts (ISO 8601).
    /// - Throws: `SessionError` of code `invalidEncoding` for what is no JSON, and `DecodingError` for a field that is missing
    ///   or of another type: both are answered with 400 and say what is at fault. ``HTTPError`` of status 415 where
    ///   `Content-Type` is not JSON: a form of another site can send everything but that without asking.
    ///   `RequestBodyError` as `RequestBody.read(into:)`.
    public func json<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        guard Self.isJSON(mediaType) else {
            throw HTTPError(.unsupportedMediaType, "send JSON, with \"Content-Type: application/json\"")
        }
        let bytes = try body.collect()
        return try SessionValue(json: bytes).decode(Value.self)
    }

    /// The type of `Content-Type`, in lower case, without its parameters.
    private var mediaType: String {
        (contentType ?? "").prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
    }

    private static func isJSON(_ type: String) -> Bool {
        type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
    }
}

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

    /// The value of the first field of this name, as a number or anything else that a text makes.
    ///
    /// - Throws: ``HTTPError`` of status 400 that names the field when it was not sent, or is no such value.
    public func require<Value: LosslessStringConvertible>(
        _ name: ByteString, as type: Value.Type
    ) throws(HTTPError) -> Value {
        let text = try require(name)
        guard let value = Value(text), Self.isFinite(value) else { throw Self.unfit(name) }
        return value
    }

    /// As ``require(_:as:)``; nil when it was not sent, or is empty.
    ///
    ///     let page = try request.query.value("page", as: Int.self) ?? 1
    ///
    /// - Throws: ``HTTPError`` of status 400 that names the field when it is no such value.
    public func value<Value: LosslessStringConvertible>(
        _ name: ByteString, as type: Value.Type
    ) throws(HTTPError) -> Value? {
        guard let text = self[name], !text.isEmpty else { return nil }
        guard let value = Value(text), Self.isFinite(value) else { throw Self.unfit(name) }
        return value
    }

    /// "nan" and "inf" are numbers to Swift, and traps for who goes on with whole ones.
    private static func isFinite(_ value: some Any) -> Bool { (value as? any FloatingPoint)?.isFinite ?? true }

    package static func unfit(_ name: ByteString) -> HTTPError {
        HTTPError(.badRequest, "the field \"\(name)\" has not the expected form")
    }

    /// All fields as a value; see `Request.decode(_:)`.
    ///
    /// - Throws: `DecodingError` for a field that is missing or of another type.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        var values: [ByteString: [SessionValue]] = [:]
        var names: [ByteString] = []
        for (name, text) in self {
            // PHP's way to say that there may be several.
            let key = name.isList ? ByteString(bytes: name.bytes.dropLast(2)) : name
            if values[key] == nil { names.append(key) }
            values[key, default: []].append(.string(text))
        }
        let members = names.map { name in
            (name, values[name]!.count == 1 ? values[name]![0] : SessionValue.array(values[name]!))
        }
        return try SessionValue.object(SessionObject(members)).decodeForm()
    }
}

extension ByteString {
    fileprivate var isList: Bool { count > 2 && bytes.suffix(2) == [UInt8(ascii: "["), UInt8(ascii: "]")] }
}

extension PathParameters {
    /// The segment that stood for `:name`.
    ///
    /// - Throws: ``HTTPError`` of status 404 where the route has no such parameter.
    public func require(_ name: ByteString) throws(HTTPError) -> String {
        guard let value = self[name] else { throw HTTPError(.notFound) }
        return value
    }

    /// The segment that stood for `:name`, as a number or anything else that a text makes.
    ///
    /// - Throws: ``HTTPError`` of status 404 when it is no such value: there is no page at that address.
    public func require<Value: LosslessStringConvertible>(
        _ name: ByteString, as type: Value.Type
    ) throws(HTTPError) -> Value {
        guard let value = Value(try require(name)) else { throw HTTPError(.notFound) }
        return value
    }
}
