/* The Linux calls that Swift's Glibc module does not import, and the few that need a C type or macro. */
#ifndef GALLETA_CPLATFORM_H
#define GALLETA_CPLATFORM_H

/* No further headers: what they declare would belong to this module in Swift's eyes, and be missing from Glibc. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* epoll. Every call returns -1 with errno set on failure. */
int cplatform_epoll_create(void);
/* A connection: edge-triggered for reading and for the peer's close; added once. */
int cplatform_epoll_add_connection(int epoll, int fd, uint64_t data);
/* The same for one of the two kinds below that is not watched yet. */
int cplatform_epoll_add_eager(int epoll, int fd, uint64_t data);
int cplatform_epoll_add_room(int epoll, int fd, uint64_t data);
/* Makes a watched connection raise an event when it can be written to as well, at once if it can now. */
int cplatform_epoll_poke(int epoll, int fd, uint64_t data);
/* Makes a watched connection raise an event only when it can be written to, at once if it can now, or is broken. */
int cplatform_epoll_await_room(int epoll, int fd, uint64_t data);
/* As after cplatform_epoll_add_connection again. */
int cplatform_epoll_calm(int epoll, int fd, uint64_t data);
/* A listener: one-shot; armed again with cplatform_epoll_rearm_listener. */
int cplatform_epoll_add_listener(int epoll, int fd, uint64_t data);
int cplatform_epoll_rearm_listener(int epoll, int fd, uint64_t data);
/* The descriptor that wakes every worker: level-triggered. */
int cplatform_epoll_add_wake(int epoll, int fd, uint64_t data);
/* The descriptor that wakes one worker each time it is signalled: edge-triggered. */
int cplatform_epoll_add_nudge(int epoll, int fd, uint64_t data);
/* Stops watching a descriptor. */
int cplatform_epoll_remove(int epoll, int fd);
/* Takes at most `most` (16) events, and waits for the first without end if it shall; how many came, 0 on EINTR. Bit 31 is set
   in that of a peer that sends no more, or of a broken connection. */
int cplatform_epoll_wait(int epoll, uint64_t *data, int most, bool waits);
/* The event counter that wakes sleeping workers. */
int cplatform_eventfd(void);
/* Adds one to an event counter; reads it back to zero. */
void cplatform_eventfd_signal(int fd);
void cplatform_eventfd_clear(int fd);

/* Sockets. */
/* Accepts a connection, which does not block. */
int cplatform_accept(int listener);
int cplatform_set_timeouts(int fd, int64_t receive_ms, int64_t send_ms);
/* Ends both directions of a connection; the descriptor stays open. */
void cplatform_shutdown(int fd);
/* Whether the peer has gone: nothing that is sent will be read. */
bool cplatform_is_hung_up(int fd);
/* Effective user of a unix socket's peer; -1 with errno on failure. */
int cplatform_peer_uid(int fd, uid_t *uid);
/* Sends a datagram with descriptors to a unix socket whose name (sun_path) is given, and waits for room for at most 5 s; -1 with
   errno. */
int cplatform_send_descriptors(const void *name, size_t name_length, const void *message, size_t length, const int *fds,
                               size_t count);

/* The time since boot in nanoseconds, suspension included (CLOCK_BOOTTIME). */
int64_t cplatform_boottime_ns(void);

/* Threads: every signal blocked. Returns an errno value, 0 on success. */
int cplatform_thread_start(pthread_t *thread, void *(*body)(void *), void *argument);
/* Names the calling thread (15 bytes at most). */
void cplatform_thread_name(const char *name);

/* Marks the calling thread as a worker of a server; whether it is marked. */
void cplatform_become_worker(void);
bool cplatform_is_worker(void);
/* How often the calling thread has given up the processor by itself. */
int64_t cplatform_voluntary_switches(void);

/* A readable and writable file without a name in `folder`, mode 0600, close-on-exec. */
int cplatform_open_temporary(const char *folder);
/* Gives such a file a name, which must not exist, on the same file system. -1 with errno: EEXIST, EXDEV, or ENOENT
   where the file cannot be linked (no O_TMPFILE, no /proc). */
int cplatform_link_temporary(int fd, const char *path);

/* Takes an advisory lock on a file (LOCK_SH or LOCK_EX), waiting until `deadline_ns` of the boot clock at most. In the
   queue of all that wait: trying again and again would lose against them. -1 with errno: ETIMEDOUT at the deadline. */
int cplatform_flock_until(int fd, int operation, int64_t deadline_ns);
/* Sees to it that a file can grow to `size` bytes; its size stays. -1 with errno: ENOSPC. What the file system cannot do
   beforehand is no error. */
int cplatform_reserve(int fd, int64_t size);

/* Sockets by address family, so that Swift needs no casts between sockaddr types. */
int cplatform_bind_unix(int fd, const char *path);
int cplatform_connect_unix(int fd, const char *path);
/* Gives the socket file at `path` a mode (permission bits only) and says which file it is. Follows no link, and changes
   nothing but a socket: -1 with ELOOP or ENOTSOCK. */
int cplatform_settle_socket_file(const char *path, mode_t mode, dev_t *device, ino_t *inode);

/* The process's environment, "NAME=value" each, NULL at the end. */
char **cplatform_environment(void);

/* Gives free pages of malloc's heaps back to the system; each heap is locked meanwhile. */
void cplatform_trim_heap(void);

/* Asks the memory for the line at an address and the one after it, without waiting; any address will do. */
static inline void cplatform_prefetch(uintptr_t address) {
    __builtin_prefetch((const void *)address);
    __builtin_prefetch((const void *)(address + 64));
}

/* Bytes of `value` stored so that the compiler cannot drop the write (secrets). */
void cplatform_zero(void *memory, size_t count);

#endif
