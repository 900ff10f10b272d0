internal import CSSL
internal import Sessions

/// What all connections with TLS have in common: whom to trust, and the client's own certificate.
///
/// Threading: any thread; nothing of it changes.
final class TLSContext: @unchecked Sendable {
    // Safe: OpenSSL counts the references to a context atomically, and it is not changed after `init`.
    private let context: OpaquePointer
    private let serverName: String?

    /// - Throws: `ConfigurationError` that names the field.
    init(_ settings: RedisTLSSettings) throws(ConfigurationError) {
        guard let context = SSL_CTX_new(TLS_client_method()) else {
            throw ConfigurationError(
                field: "tls",
                reason: "OpenSSL makes no context (\(TLSReason.last))",
                remedy: "look at its configuration")
        }
        // Before anything throws, so that `deinit` frees it.
        self.context = context
        serverName = settings.serverName
        guard cssl_require_tls12(context) == 1 else {
            throw ConfigurationError(
                field: "tls",
                reason: "OpenSSL does not do TLS 1.2 (\(TLSReason.last))",
                remedy: "look at its configuration")
        }
        cssl_tune(context)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        if let file = settings.authorityFile {
            guard SSL_CTX_load_verify_file(context, file) == 1 else {
                throw ConfigurationError(
                    field: "authorityFile",
                    reason: "\(file) holds no certificates (\(TLSReason.last))",
                    remedy: "give a readable PEM file")
            }
        } else {
            SSL_CTX_set_default_verify_paths(context)
        }
        guard (settings.certificateFile == nil) == (settings.keyFile == nil) else {
            throw ConfigurationError(
                field: settings.keyFile == nil ? "keyFile" : "certificateFile",
                reason: "a client's certificate needs its key, and the key its certificate",
                remedy: "give both files or none")
        }
        guard let certificate = settings.certificateFile, let key = settings.keyFile else { return }
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw ConfigurationError(
                field: "certificateFile",
                reason: "\(certificate) holds no certificate (\(TLSReason.last))",
                remedy: "give a readable PEM file")
        }
        guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1, SSL_CTX_check_private_key(context) == 1
        else {
            throw ConfigurationError(
                field: "keyFile",
                reason: "\(key) holds no key for the certificate (\(TLSReason.last))",
                remedy: "give the PEM file of its key, readable for this process and without a pass phrase")
        }
    }

    deinit {
        SSL_CTX_free(context)
    }

    /// The client's side of a new connection.
    ///
    /// - Parameter host: The name or numeric address that it goes to.
    func session(with host: String) throws(RedisError) -> TLSSession {
        guard let ssl = SSL_new(context) else { throw RedisError(.connection, "no TLS: \(TLSReason.last)") }
        return try TLSSession(ssl, serverName: serverName ?? host)
    }
}

/// OpenSSL's own words for what went wrong.
enum TLSReason {
    /// The last error of this thread; forgets the others.
    static var last: String {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0, let text = ERR_reason_error_string(code) else { return "unknown reason" }
        return String(cString: text)
    }
}
