#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int cplatform_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int epoll_change(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.u64 = data;
    return epoll_ctl(epoll, operation, fd, &event);
}

int cplatform_epoll_add_connection(int epoll, int fd, uint64_t data) {
    return epoll_change(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, data);
}

int cplatform_epoll_add_eager(int epoll, int fd, uint64_t data) {
    return epoll_change(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, data);
}

int cplatform_epoll_add_room(int epoll, int fd, uint64_t data) {
    return epoll_change(epoll, EPOLL_CTL_ADD, fd, EPOLLOUT | EPOLLET, data);
}

int cplatform_epoll_poke(int epoll, int fd, uint64_t data) {
    return epoll_change(epoll, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, data);
}

int cplatform_epoll_await_room(int epoll, int fd, uint64_t data) {
    /* Not for reading: bytes that wait unread would raise an event each time, without end. */
    return epoll_change(epoll, EPOLL_CTL_MOD, fd, EPOLLOUT | EPOLLET, data);
}

int cplatform_epoll_calm(int epoll, int fd, uint64_t data) {
    return epoll_change(epoll, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, data);
}

int cplatform_epoll_add_listener(int epoll, int fd, uint64_t data) {
    return epoll_change(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, data);
}

int cplatform_epoll_rearm_listener(int epoll, int fd, uint64_t data) {
    return epoll_change(epoll, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT, data);
}

int cplatform_epoll_add_wake(int epoll, int fd, uint64_t data) {
    return epoll_change(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, data);
}

int cplatform_epoll_add_nudge(int epoll, int fd, uint64_t data) {
    return epoll_change(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET, data);
}

int cplatform_epoll_remove(int epoll, int fd) { return epoll_change(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int cplatform_epoll_wait(int epoll, uint64_t *data, int most, bool waits) {
    struct epoll_event events[16];
    int count = epoll_wait(epoll, events, most < 16 ? most : 16, waits ? -1 : 0);
    for (int index = 0; index < count; index++) {
        data[index] = events[index].data.u64;
        if (events[index].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) data[index] |= UINT64_C(1) << 31;
    }
    return count < 0 && errno == EINTR ? 0 : count;
}

int cplatform_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void cplatform_eventfd_signal(int fd) {
    uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof one);
    (void)ignored;
}

void cplatform_eventfd_clear(int fd) {
    uint64_t count;
    ssize_t ignored = read(fd, &count, sizeof count);
    (void)ignored;
}

int cplatform_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int cplatform_set_timeouts(int fd, int64_t receive_ms, int64_t send_ms) {
    struct timeval receive = {.tv_sec = receive_ms / 1000, .tv_usec = (receive_ms % 1000) * 1000};
    struct timeval send = {.tv_sec = send_ms / 1000, .tv_usec = (send_ms % 1000) * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive, sizeof receive) != 0) return -1;
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send, sizeof send);
}

void cplatform_shutdown(int fd) { shutdown(fd, SHUT_RDWR); }

bool cplatform_is_hung_up(int fd) {
    struct pollfd peer = {.fd = fd, .events = POLLRDHUP};
    if (poll(&peer, 1, 0) <= 0) return false;
    if (peer.revents & (POLLHUP | POLLERR)) return true;
    if (!(peer.revents & POLLRDHUP)) return false;
    /* Half of a unix socket is closed on purpose; a TCP peer that has closed looks the same until it is written to. */
    int family = 0;
    socklen_t size = sizeof family;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family != AF_UNIX;
}

int cplatform_peer_uid(int fd, uid_t *uid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
    *uid = credentials.uid;
    return 0;
}

int cplatform_send_descriptors(const void *name, size_t name_length, const void *message, size_t length, const int *fds,
                               size_t count) {
    struct sockaddr_un address;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (name_length > sizeof address.sun_path || count > 253) { errno = EINVAL; return -1; }
    memcpy(address.sun_path, name, name_length);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    cplatform_set_timeouts(fd, 5000, 5000);
    union {
        char bytes[CMSG_SPACE(253 * sizeof(int))];
        struct cmsghdr aligned;
    } control;
    memset(&control, 0, sizeof control);
    struct iovec text = {.iov_base = (void *)message, .iov_len = length};
    struct msghdr header = {
        .msg_name = &address,
        .msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_length),
        .msg_iov = &text,
        .msg_iovlen = 1,
    };
    if (count > 0) {
        header.msg_control = &control;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
    }
    ssize_t sent;
    do sent = sendmsg(fd, &header, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    int failure = errno;
    close(fd);
    errno = failure;
    return sent < 0 ? -1 : 0;
}

int64_t cplatform_boottime_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int cplatform_thread_start(pthread_t *thread, void *(*body)(void *), void *argument) {
    sigset_t all, before;
    sigfillset(&all);
    /* A thread inherits the mask of its creator: blocked here, so that no signal ever lands in it. */
    int failure = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (failure != 0) return failure;
    failure = pthread_create(thread, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

void cplatform_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }

static __thread bool is_worker;

void cplatform_become_worker(void) { is_worker = true; }

bool cplatform_is_worker(void) { return is_worker; }

int64_t cplatform_voluntary_switches(void) {
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

static int unix_address(struct sockaddr_un *address, const char *path) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) { errno = ENAMETOOLONG; return -1; }
    strcpy(address->sun_path, path);
    return 0;
}

int cplatform_bind_unix(int fd, const char *path) {
    struct sockaddr_un address;
    if (unix_address(&address, path) != 0) return -1;
    return bind(fd, (struct sockaddr *)&address, sizeof address);
}

int cplatform_connect_unix(int fd, const char *path) {
    struct sockaddr_un address;
    if (unix_address(&address, path) != 0) return -1;
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

int cplatform_settle_socket_file(const char *path, mode_t mode, dev_t *device, ino_t *inode) {
    /* A handle on the file itself: whatever takes its name from now on is not touched. */
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -1;
    struct stat status = {0};
    int result = fstat(fd, &status);
    if (result == 0 && !S_ISSOCK(status.st_mode)) { errno = ENOTSOCK; result = -1; }
    if (result == 0 && (status.st_mode & 0777) != mode) {
        /* fchmod(2) takes no such handle. */
        char name[32];
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        result = chmod(name, mode);
    }
    int failure = errno;
    close(fd);
    errno = failure;
    *device = status.st_dev;
    *inode = status.st_ino;
    return result;
}

char **cplatform_environment(void) { return environ; }

void cplatform_zero(void *memory, size_t count) { explicit_bzero(memory, count); }

int cplatform_open_temporary(const char *folder) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)) return fd;
    /* A file system or kernel without O_TMPFILE. */
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/galleta-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof path) { errno = ENAMETOOLONG; return -1; }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    return fd;
}

int cplatform_link_temporary(int fd, const char *path) {
    char source[32];
    snprintf(source, sizeof source, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

static int lock_signal;
static pthread_once_t lock_signal_once = PTHREAD_ONCE_INIT;

static void lock_signal_handler(int signal) { (void)signal; }

/* A real-time signal that nobody else has taken; 0 if there is none. */
static void choose_lock_signal(void) {
    for (int signal = SIGRTMAX; signal >= SIGRTMIN; signal--) {
        struct sigaction old, own;
        if (sigaction(signal, NULL, &old) != 0 || old.sa_handler != SIG_DFL) continue;
        memset(&own, 0, sizeof own);
        own.sa_handler = lock_signal_handler; /* without SA_RESTART: it has to end the call */
        if (sigaction(signal, &own, NULL) == 0) {
            lock_signal = signal;
            return;
        }
    }
}

int cplatform_flock_until(int fd, int operation, int64_t deadline_ns) {
    if (flock(fd, operation | LOCK_NB) == 0) return 0;
    if (errno != EWOULDBLOCK && errno != EINTR) return -1;
    pthread_once(&lock_signal_once, choose_lock_signal);
    if (lock_signal == 0) {
        errno = EAGAIN;
        return -1;
    }
    /* The kernel's lock has no deadline of its own: a timer of this thread interrupts the wait, at the deadline and then
       every 10 ms, lest the first shot comes just before the call. The signal reaches this thread only, and only here. */
    sigset_t ours, before;
    sigemptyset(&ours);
    sigaddset(&ours, lock_signal);
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = lock_signal;
    event._sigev_un._tid = gettid();
    timer_t timer;
    if (timer_create(CLOCK_BOOTTIME, &event, &timer) != 0) return -1;
    pthread_sigmask(SIG_UNBLOCK, &ours, &before);
    struct itimerspec when = {
        .it_interval = {.tv_nsec = 10 * 1000 * 1000},
        .it_value = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000},
    };
    int result = timer_settime(timer, TIMER_ABSTIME, &when, NULL);
    while (result == 0) {
        if (cplatform_boottime_ns() >= deadline_ns) {
            errno = ETIMEDOUT;
            result = -1;
        } else if (flock(fd, operation) == 0) {
            break;
        } else if (errno != EINTR) {
            result = -1;
        }
    }
    int failure = errno;
    timer_delete(timer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failure;
    return result;
}

int cplatform_reserve(int fd, int64_t size) {
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size) == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return 0;
    return -1;
}

void cplatform_trim_heap(void) { malloc_trim(0); }
