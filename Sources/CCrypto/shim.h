#ifndef GALLETA_CCRYPTO_SHIM_H
#define GALLETA_CCRYPTO_SHIM_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#endif
