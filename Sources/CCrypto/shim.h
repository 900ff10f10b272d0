#ifndef GALLETA_CCRYPTO_SHIM_H
#define GALLETA_CCRYPTO_SHIM_H

#include <openssl/sha.h>

#endif
