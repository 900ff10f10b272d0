#ifndef GALLETA_CCRYPTO_SHIM_H
#define GALLETA_CCRYPTO_SHIM_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include <stddef.h>

// SHA-256 (FIPS 180-4) at once. The library's own way looks the algorithm up by its name at each call, which costs more than
// the digest of a session id; this one has been called deprecated since then, and is not.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static inline void ccrypto_sha256(const void *input, size_t count, unsigned char *output) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, input, count);
    SHA256_Final(output, &context);
}
#pragma GCC diagnostic pop

#endif
