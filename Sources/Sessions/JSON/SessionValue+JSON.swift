extension SessionValue {
    /// The value as JSON text (RFC 8259) in UTF-8, without blanks, object members in their order.
    ///
    /// Bytes, which JSON lacks, become `{"$bytes":"<base64url>"}`; an object whose one key is `$bytes` by chance
    /// gets a further `$` in front, which reading takes away. `<` is escaped, for use in HTML.
    ///
    /// - Throws: `SessionError` of code `notEncodable` for NaN, the infinities, nesting beyond `maximumDepth` and an
    ///   object's key that is not UTF-8: JSON has no form for these.
    public func jsonBytes() throws -> [UInt8] {
        var writer = JSONWriter()
        try writer.write(self)
        return writer.out
    }

    /// The value of JSON text: strict RFC 8259, valid UTF-8, one value, nothing after it but blanks.
    ///
    /// Numbers without fraction and exponent that fit are `.int`, others `.double`. Of equal keys the last counts;
    /// equal are those of the same bytes once escapes are undone.
    ///
    /// - Parameters:
    ///   - json: The text; not kept.
    ///   - maximumDepth: How deep arrays and objects may nest.
    /// - Throws: `SessionError` of code `invalidEncoding` that says at which byte and why.
    public init(json: UnsafeRawBufferPointer, maximumDepth: Int = SessionValue.maximumDepth) throws {
        var parser = JSONParser(json, maximumDepth: maximumDepth)
        self = try parser.document()
    }

    /// The value of JSON text, as `init(json:maximumDepth:)` of a buffer.
    ///
    /// - Throws: `SessionError` of code `invalidEncoding` that says at which byte and why.
    public init(json: [UInt8], maximumDepth: Int = SessionValue.maximumDepth) throws {
        self = try json.withUnsafeBytes { try SessionValue(json: $0, maximumDepth: maximumDepth) }
    }
}
