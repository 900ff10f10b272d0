#ifndef GALLETA_CSSL_SHIM_H
#define GALLETA_CSSL_SHIM_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* What OpenSSL has as macros, which Swift does not import. */

static inline int cssl_require_tls12(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
}

/* Idle connections give their buffers back; the peer may not renegotiate. */
static inline void cssl_tune(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline int cssl_set_server_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name) == 1; }

static inline long cssl_pending(BIO *bio) { return BIO_pending(bio); }

/* An empty memory BIO says "try again" in place of "the end". */
static inline void cssl_wait_when_empty(BIO *bio) { BIO_set_mem_eof_return(bio, -1); }

#endif
