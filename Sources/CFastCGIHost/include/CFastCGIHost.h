#ifndef GALLETA_CFASTCGIHOST_H
#define GALLETA_CFASTCGIHOST_H

#include <stddef.h>
#include <stdint.h>

/* libfcgi's operating system.
 *
 * libfcgi's request layer (fcgiapp) reaches the outside by eight functions, declared in fcgios.h. This target defines
 * them, and the linker takes these in place of the library's own. libfcgi then "accepts", reads and writes on ports: a
 * port answers reads from memory; writes fail, for answers are written by the server itself. Nothing here closes a connection
 * or touches a signal: both belong to the server.
 *
 * A port has a number like a descriptor's, above all that the kernel hands out. The numbers are the process's, so two
 * servers in one process do not meet. A port is used by one thread at a time; different ports need no care. */

/* A new port, or -1 with errno. */
int cfastcgi_port_open(void);

/* The next request of this port: its head, as records. The bytes stay the caller's, and are read by FCGX_Accept_r. */
void cfastcgi_port_load(int port, const void *head, size_t count);

/* The body of that request, which is read behind its head as STDIN records: `count` bytes at `body`. They stay the caller's,
 * and must stay until the request is freed. Without this call reads end with the head. */
void cfastcgi_port_body(int port, uint16_t request_id, const void *body, size_t count);

/* The same of a body in a file, which is read through `size` bytes at `buffer`. */
void cfastcgi_port_file(int port, uint16_t request_id, int file, size_t count, void *buffer, size_t size);

/* Forgets the request: reads end. */
void cfastcgi_port_clear(int port);

/* Gives the number back. */
void cfastcgi_port_close(int port);

#endif
