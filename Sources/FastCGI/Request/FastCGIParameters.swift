public import struct GalletaPlatform.ByteString

/// The parameters of a request as the web server sent them (FastCGI 1.0, section 6.2): CGI's variables and the site's own.
///
///     request.fastCGI["REMOTE_USER"]
///
/// What begins with `HTTP_` is the client's word, `HTTP_PROXY` among it. Nothing is copied until it is asked for; a
/// look-up is a scan over the parameters.
///
/// Threading: usable from any thread.
public struct FastCGIParameters: Sendable, Sequence {
    let context: RequestContext

    /// The parameter of this exact name, the first one if the web server sent it twice; invalid UTF-8 is replaced by U+FFFD.
    public subscript(_ name: ByteString) -> String? {
        name.withUnsafeBytes { context.parameters.value(of: $0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes of the parameter of this exact name, the first one if the web server sent it twice.
    public func bytes(_ name: ByteString) -> [UInt8]? {
        name.withUnsafeBytes { context.parameters.value(of: $0) }.map { Array($0) }
    }

    /// Every parameter in the order sent, copied.
    public func makeIterator() -> IndexingIterator<[(name: String, value: String)]> {
        var parameters: [(name: String, value: String)] = []
        context.parameters.forEach { name, value in
            parameters.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        }
        return parameters.makeIterator()
    }
}
