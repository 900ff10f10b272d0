public import FastCGI

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
