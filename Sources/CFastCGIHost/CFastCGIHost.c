#include "CFastCGIHost.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The library's own declarations: a signature that differs does not compile. */
#include <fcgios.h>

struct port {
    int number;
    struct port *next;
    const char *head;
    size_t head_left;
    /* The body: in memory, or in a file from `offset` on. */
    const char *body;
    int file;
    off_t offset;
    /* What has been read of the file ahead of libfcgi, which asks for 8 KiB at a time. */
    char *buffer;
    size_t buffer_size;
    size_t buffered;
    size_t body_left;
    uint16_t request_id;
    int has_body;
    /* The record of STDIN that is being read. */
    unsigned char header[8];
    size_t header_left;
    size_t record_left;
    /* libfcgi asks for another connection after an error of this one: there is none. */
    int is_accepted;
};

enum {
    /* Above every descriptor: the kernel's limit (fs.nr_open) is below 2^30. */
    FIRST_PORT = 1 << 30,
    /* A port for each connection that a process may have; pages of the table that are not used take no memory. */
    PORTS = 1 << 20,
    STDIN_RECORD = 5,
    /* The largest multiple of eight: no record needs padding but the last, which may go without. */
    LARGEST_CONTENT = 65528
};

static _Atomic(struct port *) ports[PORTS];
/* Numbers that were given back, as a list through `next`; those from `unused` on never were taken. */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static struct port *returned;
static int unused;

static struct port *port_at(int number)
{
    if (number < FIRST_PORT || number >= FIRST_PORT + PORTS)
        return NULL;
    return atomic_load_explicit(&ports[number - FIRST_PORT], memory_order_acquire);
}

int cfastcgi_port_open(void)
{
    pthread_mutex_lock(&opening);
    struct port *port = returned;
    if (port) {
        returned = port->next;
    } else if (unused < PORTS && (port = calloc(1, sizeof *port))) {
        port->number = FIRST_PORT + unused;
        atomic_store_explicit(&ports[unused++], port, memory_order_release);
    }
    pthread_mutex_unlock(&opening);
    if (!port) {
        errno = EMFILE;
        return -1;
    }
    cfastcgi_port_clear(port->number);
    return port->number;
}

/* Empties all but the number; a request is read only once it is loaded. */
static void reset(struct port *port, int is_accepted)
{
    *port = (struct port){.number = port->number, .file = -1, .is_accepted = is_accepted};
}

void cfastcgi_port_load(int number, const void *head, size_t count)
{
    struct port *port = port_at(number);
    if (!port)
        return;
    reset(port, 0);
    port->head = head;
    port->head_left = count;
}

void cfastcgi_port_body(int number, uint16_t request_id, const void *body, size_t count)
{
    struct port *port = port_at(number);
    if (!port)
        return;
    port->request_id = request_id;
    port->body = body;
    port->body_left = count;
    port->has_body = 1;
}

void cfastcgi_port_file(int number, uint16_t request_id, int file, size_t count, void *buffer, size_t size)
{
    struct port *port = port_at(number);
    if (!port)
        return;
    cfastcgi_port_body(number, request_id, buffer, count);
    port->file = file;
    port->buffer = buffer;
    port->buffer_size = size;
}

void cfastcgi_port_clear(int number)
{
    struct port *port = port_at(number);
    if (port)
        reset(port, 1);
}

void cfastcgi_port_close(int number)
{
    struct port *port = port_at(number);
    if (!port)
        return;
    reset(port, 1);
    pthread_mutex_lock(&opening);
    port->next = returned;
    returned = port;
    pthread_mutex_unlock(&opening);
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

static ssize_t retry_pread(int fd, void *buffer, size_t count, off_t offset)
{
    for (;;) {
        ssize_t taken = pread(fd, buffer, count, offset);
        if (taken >= 0 || errno != EINTR)
            return taken;
    }
}

/* Begins the next record of STDIN; 0 behind the one that ends it. */
static int next_record(struct port *port)
{
    if (!port->has_body)
        return 0;
    size_t content = port->body_left < LARGEST_CONTENT ? port->body_left : LARGEST_CONTENT;
    port->has_body = content > 0;
    port->body_left -= content;
    port->record_left = content;
    port->header_left = sizeof port->header;
    port->header[0] = 1;
    port->header[1] = STDIN_RECORD;
    port->header[2] = (unsigned char)(port->request_id >> 8);
    port->header[3] = (unsigned char)port->request_id;
    port->header[4] = (unsigned char)(content >> 8);
    port->header[5] = (unsigned char)content;
    return 1;
}

/* Copies what comes next: of the head, of a header, of a body. */
static ssize_t read_some(struct port *port, char *buffer, size_t count)
{
    if (port->head_left) {
        if (count > port->head_left)
            count = port->head_left;
        memcpy(buffer, port->head, count);
        port->head += count;
        port->head_left -= count;
        return (ssize_t)count;
    }
    if (!port->header_left && !port->record_left && !next_record(port))
        return 0;
    if (port->header_left) {
        if (count > port->header_left)
            count = port->header_left;
        memcpy(buffer, port->header + sizeof port->header - port->header_left, count);
        port->header_left -= count;
        return (ssize_t)count;
    }
    if (count > port->record_left)
        count = port->record_left;
    if (port->file >= 0) {
        if (!port->buffered) {
            ssize_t taken = retry_pread(port->file, port->buffer, port->buffer_size, port->offset);
            if (taken <= 0) {
                /* The file is ours and as long as it was: a short read is the disk's. */
                if (taken == 0)
                    errno = EIO;
                return -1;
            }
            port->body = port->buffer;
            port->buffered = (size_t)taken;
            port->offset += taken;
        }
        if (count > port->buffered)
            count = port->buffered;
        port->buffered -= count;
    }
    memcpy(buffer, port->body, count);
    port->body += count;
    port->record_left -= count;
    return (ssize_t)count;
}

int OS_Read(int number, char *buffer, size_t count)
{
    struct port *port = port_at(number);
    if (!port) {
        errno = EBADF;
        return -1;
    }
    /* No more than the result can say. */
    if (count > INT_MAX)
        count = INT_MAX;
    size_t total = 0;
    while (total < count) {
        ssize_t taken = read_some(port, buffer + total, count - total);
        if (taken < 0)
            return total ? (int)total : -1;
        if (taken == 0)
            break;
        total += (size_t)taken;
    }
    return (int)total;
}

/* libfcgi's output is not used: answers have a writer of the server's. */
int OS_Write(int number, char *buffer, size_t count)
{
    (void)number;
    (void)buffer;
    (void)count;
    errno = EBADF;
    return -1;
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
