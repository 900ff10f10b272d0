#ifndef GALLETA_CFASTCGI_SHIM_H
#define GALLETA_CFASTCGI_SHIM_H

#include <fcgiapp.h>

#endif
