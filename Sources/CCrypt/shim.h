#ifndef GALLETA_CCRYPT_SHIM_H
#define GALLETA_CCRYPT_SHIM_H

#include <crypt.h>

#endif
