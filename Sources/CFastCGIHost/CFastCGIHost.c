#include "CFastCGIHost.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The library's own declarations: a signature that differs does not compile. */
#include <fcgios.h>

struct port {
    const char *next;
    size_t left;
    int input;
    int output;
    /* libfcgi asks for another connection after an error of this one: there is none. */
    int is_accepted;
};

enum {
    /* Above every descriptor: the kernel's limit (fs.nr_open) is below 2^30. */
    FIRST_PORT = 1 << 30,
    PORTS = 1 << 14
};

static _Atomic(struct port *) ports[PORTS];
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

static struct port *port_at(int number)
{
    if (number < FIRST_PORT || number >= FIRST_PORT + PORTS)
        return NULL;
    return atomic_load_explicit(&ports[number - FIRST_PORT], memory_order_acquire);
}

int cfastcgi_port_open(void)
{
    struct port *port = calloc(1, sizeof *port);
    if (!port)
        return -1;
    port->input = port->output = -1;
    port->is_accepted = 1;
    pthread_mutex_lock(&opening);
    int index = 0;
    while (index < PORTS && atomic_load_explicit(&ports[index], memory_order_relaxed))
        index++;
    if (index < PORTS)
        atomic_store_explicit(&ports[index], port, memory_order_release);
    pthread_mutex_unlock(&opening);
    if (index < PORTS)
        return FIRST_PORT + index;
    free(port);
    errno = EMFILE;
    return -1;
}

void cfastcgi_port_load(int number, const void *bytes, size_t count, int input, int output)
{
    struct port *port = port_at(number);
    if (port)
        *port = (struct port){.next = bytes, .left = count, .input = input, .output = output};
}

void cfastcgi_port_clear(int number)
{
    struct port *port = port_at(number);
    if (port)
        *port = (struct port){.input = -1, .output = -1, .is_accepted = 1};
}

void cfastcgi_port_close(int number)
{
    struct port *port = port_at(number);
    if (!port)
        return;
    atomic_store_explicit(&ports[number - FIRST_PORT], NULL, memory_order_release);
    free(port);
}

/* --- What libfcgi calls ------------------------------------------------------------------------------------------- */

int OS_LibInit(int stdioFds[3])
{
    (void)stdioFds;
    return 0;
}

void OS_ShutdownPending(void) {}

/* The port is the listening socket and the one connection that comes by it. */
int OS_Accept(int listen_sock, int fail_on_intr, const char *webServerAddrs)
{
    (void)fail_on_intr;
    (void)webServerAddrs;
    struct port *port = port_at(listen_sock);
    if (!port || port->is_accepted) {
        errno = EBADF;
        return -1;
    }
    port->is_accepted = 1;
    return listen_sock;
}

int OS_Read(int number, char *buffer, size_t count)
{
    if (count > INT_MAX)
        count = INT_MAX;
    struct port *port = port_at(number);
    int fd = port ? port->input : number;
    if (port && port->left) {
        if (count > port->left)
            count = port->left;
        __builtin_memcpy(buffer, port->next, count);
        port->next += count;
        port->left -= count;
        return (int)count;
    }
    if (port && fd < 0)
        return 0;
    for (;;) {
        ssize_t taken = read(fd, buffer, count);
        if (taken >= 0 || errno != EINTR)
            return (int)taken;
    }
}

int OS_Write(int number, char *buffer, size_t count)
{
    if (count > INT_MAX)
        count = INT_MAX;
    struct port *port = port_at(number);
    int fd = port ? port->output : number;
    for (;;) {
        ssize_t sent = send(fd, buffer, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == ENOTSOCK)
            sent = write(fd, buffer, count);
        if (sent >= 0 || errno != EINTR)
            return (int)sent;
    }
}

int OS_IpcClose(int number, int shutdown)
{
    (void)number;
    (void)shutdown;
    return 0;
}

/* The rest of the request layer refers to these; the server opens sockets itself. */
int OS_IsFcgi(int sock)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    return getpeername(sock, (struct sockaddr *)&peer, &size) != 0 && errno == ENOTCONN;
}

int OS_CreateLocalIpcFd(const char *bindPath, int backlog)
{
    (void)bindPath;
    (void)backlog;
    errno = ENOSYS;
    return -1;
}
