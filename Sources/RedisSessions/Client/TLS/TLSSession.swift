internal import CSSL

/// The client's side of one TLS connection, fed from memory: it never touches a socket.
///
/// What the peer has sent goes in with ``feed(_:)``, what it is to get is taken with ``takeOutput()``. All of OpenSSL
/// that works on connections is in here. Threading: one thread at a time.
final class TLSSession {
    private let ssl: OpaquePointer
    /// Owned by `ssl`.
    private let input: OpaquePointer
    private let output: OpaquePointer
    private var hasRead = false

    /// - Parameter ssl: Owned by this object from now on.
    fileprivate init(owning ssl: OpaquePointer, _ input: OpaquePointer, _ output: OpaquePointer) {
        (self.ssl, self.input, self.output) = (ssl, input, output)
    }

    convenience init(_ ssl: OpaquePointer, serverName: String) throws(RedisError) {
        guard let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            // The process has no memory left: a BIO that is there does not matter any more.
            SSL_free(ssl)
            throw RedisError(.connection, "no TLS: \(TLSReason.last)")
        }
        cssl_wait_when_empty(input)
        cssl_wait_when_empty(output)
        SSL_set_bio(ssl, input, output)
        SSL_set_connect_state(ssl)
        self.init(owning: ssl, input, output)
        let check = SSL_get0_param(ssl)
        // A numeric address is looked for among the certificate's addresses; it is no server name (RFC 6066, section 3).
        if X509_VERIFY_PARAM_set1_ip_asc(check, serverName) != 1 {
            X509_VERIFY_PARAM_set_hostflags(check, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            guard X509_VERIFY_PARAM_set1_host(check, serverName, 0) == 1, cssl_set_server_name(ssl, serverName) == 1
            else { throw RedisError(.configuration, "\(serverName) can be no name of a TLS server") }
        }
    }

    deinit {
        SSL_free(ssl)
    }

    /// Goes on with the handshake; false until the peer has sent more.
    func shakeHands() throws(RedisError) -> Bool {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 { return true }
        guard SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ else { throw failure() }
        return false
    }

    /// Encrypts bytes; they are in the output then.
    func write(_ bytes: [UInt8]) throws(RedisError) {
        guard !bytes.isEmpty else { return }
        ERR_clear_error()
        var written = 0
        // All of it: memory takes everything.
        guard SSL_write_ex(ssl, bytes, bytes.count, &written) == 1, written == bytes.count else { throw failure() }
    }

    /// Decrypts what has been fed into `buffer`: how many bytes, 0 at the end; nil until the peer has sent more.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(RedisError) -> Int? {
        ERR_clear_error()
        var count = 0
        let result = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
        if result == 1 {
            hasRead = true
            return count
        }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return nil
        case SSL_ERROR_ZERO_RETURN: return 0
        default: throw failure()
        }
    }

    /// Takes bytes of the peer.
    func feed(_ bytes: UnsafeRawBufferPointer) {
        _ = BIO_write(input, bytes.baseAddress, Int32(clamping: bytes.count))
    }

    /// What is to be sent to the peer.
    func takeOutput() -> [UInt8] {
        let count = cssl_pending(output)
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { target, filled in
            filled = max(0, Int(BIO_read(output, target.baseAddress, Int32(clamping: count))))
        }
    }

    /// Whether nothing that was fed is left.
    var isEmpty: Bool { SSL_pending(ssl) == 0 && cssl_pending(input) == 0 }

    private func failure() -> RedisError {
        let verification = SSL_get_verify_result(ssl)
        if verification != Int(X509_V_OK) {
            let reason = String(cString: X509_verify_cert_error_string(verification))
            return RedisError(.configuration, "the server's certificate is refused: \(reason)")
        }
        // Until the first reply it is about who may talk to whom; a server tells of a certificate that it wants only
        // after the handshake of TLS 1.3.
        return RedisError(hasRead ? .protocol : .configuration, "TLS: \(TLSReason.last)")
    }
}
