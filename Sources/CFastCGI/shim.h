#ifndef GALLETA_CFASTCGI_SHIM_H
#define GALLETA_CFASTCGI_SHIM_H

#include <stddef.h>
#include <fcgiapp.h>

/* The server presets ipcFd, keepConnection and listen_sock, which the header calls private.
 * A libfcgi whose layout differs must fail to compile, not corrupt memory. */
_Static_assert(sizeof(void *) != 8 || sizeof(FCGX_Request) == 80, "FCGX_Request: unexpected size");
_Static_assert(sizeof(void *) != 8 || offsetof(FCGX_Request, ipcFd) == 48, "FCGX_Request: ipcFd moved");
_Static_assert(sizeof(void *) != 8 || offsetof(FCGX_Request, keepConnection) == 56,
               "FCGX_Request: keepConnection moved");
_Static_assert(sizeof(void *) != 8 || offsetof(FCGX_Request, listen_sock) == 72, "FCGX_Request: listen_sock moved");

#endif
