/* What galleta-server's GET /counter could cost at best: FastCGI read by hand, without libfcgi, a table of sessions,
 * nothing else. Answers each request with the next number of its session, in as many bytes as galleta-server does.
 *
 * Usage: raw-counter [THREADS], listening on descriptor 0; 2 threads by default, which share one epoll set.
 *
 * It is a yardstick, not a server: no deadlines, no log, no routes, no limit of sessions, and a signal ends it at once.
 * What breaks the protocol is closed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void *allocate(size_t size) {
    void *memory = calloc(1, size);
    if (memory == NULL) fail("calloc");
    return memory;
}

/* ---- Session ids: 256 random bits, 43 characters of base64url --------------------------------------------------- */

enum { id_bytes = 32, id_characters = 43 };

struct id {
    uint64_t words[id_bytes / 8];
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static uint8_t values[256]; /* of the characters, 64 for those that are none */

static void prepare_values(void) {
    memset(values, 64, sizeof values);
    for (uint8_t value = 0; value < 64; value++) values[(uint8_t)alphabet[value]] = value;
}

static char *write_id(const struct id *id, char *text) {
    const uint8_t *bytes = (const uint8_t *)id->words;
    uint32_t bits = 0;
    int count = 0;
    for (int index = 0; index < id_bytes; index++) {
        bits = bits << 8 | bytes[index];
        for (count += 8; count >= 6; count -= 6) *text++ = alphabet[bits >> (count - 6) & 63];
    }
    *text++ = alphabet[bits << (6 - count) & 63];
    return text;
}

static bool read_id(const uint8_t *text, size_t length, struct id *id) {
    uint8_t *bytes = (uint8_t *)id->words;
    uint32_t bits = 0;
    int count = 0;
    if (length != id_characters) return false;
    for (int index = 0; index < id_characters; index++) {
        uint8_t value = values[text[index]];
        if (value == 64) return false;
        bits = bits << 6 | value;
        count += 6;
        if (count >= 8) *bytes++ = (uint8_t)(bits >> (count -= 8));
    }
    /* One text an id: the bits that are left are zero. */
    return (bits & ((1u << count) - 1)) == 0;
}

/* ---- The sessions: shards, each an open table behind a mutex ---------------------------------------------------- */

enum { shard_count = 64, first_capacity = 64, idle_seconds = 1800 };

struct session {
    struct id id;
    time_t end; /* when it expires; 0 in a place that was never taken */
    uint64_t counter;
};

struct shard {
    pthread_mutex_t mutex;
    struct session *places;
    size_t capacity; /* a power of two */
    size_t taken;    /* at most three quarters: a search always ends */
};

static struct shard shards[shard_count];

static time_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return time.tv_sec;
}

static void prepare_shards(void) {
    for (int index = 0; index < shard_count; index++) {
        struct shard *shard = &shards[index];
        pthread_mutex_init(&shard->mutex, NULL);
        shard->capacity = first_capacity;
        shard->places = allocate(first_capacity * sizeof *shard->places);
    }
}

/* Ids are random, so they are their own hashes. The shard comes from one word, the place from another. */
static struct shard *lock_shard(const struct id *id) {
    struct shard *shard = &shards[id->words[0] % shard_count];
    pthread_mutex_lock(&shard->mutex);
    return shard;
}

static void add(struct shard *shard, const struct session *session, time_t time) {
    size_t last = shard->capacity - 1, index = session->id.words[1] & last;
    while (shard->places[index].end > time) index = (index + 1) & last;
    if (shard->places[index].end == 0) shard->taken++;
    shard->places[index] = *session;
}

/* Leaves out what has expired, and doubles the table if it is still half full. */
static void make_room(struct shard *shard, time_t time) {
    struct session *places = shard->places;
    size_t capacity = shard->capacity, alive = 0;
    if (shard->taken < capacity / 4 * 3) return;
    for (size_t index = 0; index < capacity; index++) alive += places[index].end > time;
    if (alive >= capacity / 2) shard->capacity *= 2;
    shard->places = allocate(shard->capacity * sizeof *places);
    shard->taken = 0;
    for (size_t index = 0; index < capacity; index++)
        if (places[index].end > time) add(shard, &places[index], time);
    free(places);
}

/* Counts in the session and puts off its end; 0 if there is none. */
static uint64_t count_on(const struct id *id) {
    time_t time = now();
    struct shard *shard = lock_shard(id);
    uint64_t counter = 0;
    size_t last = shard->capacity - 1, index = id->words[1] & last;
    for (struct session *place; (place = &shard->places[index])->end != 0; index = (index + 1) & last) {
        if (memcmp(&place->id, id, sizeof *id) != 0) continue;
        if (place->end > time) {
            place->end = time + idle_seconds;
            counter = ++place->counter;
        }
        break;
    }
    pthread_mutex_unlock(&shard->mutex);
    return counter;
}

static void begin_session(struct id *id) {
    time_t time = now();
    if (getrandom(id->words, id_bytes, 0) != id_bytes) fail("getrandom");
    struct session session = {.id = *id, .end = time + idle_seconds, .counter = 1};
    struct shard *shard = lock_shard(id);
    make_room(shard, time);
    add(shard, &session, time);
    pthread_mutex_unlock(&shard->mutex);
}

/* ---- Connections ------------------------------------------------------------------------------------------------ */

enum {
    most_connections = 4096,
    most_parameters = 32 << 10,
    record_header = 8,
    input_size = most_parameters + record_header + 65535 + 255 /* all parameters, and the longest record behind them */
};

/* FastCGI 1.0, section 8. */
enum { begin_request = 1, end_request = 3, parameters = 4, standard_input = 5, standard_output = 6 };
enum { responder = 1, keep_connection = 1 };

struct connection {
    /* Events that are not dealt with yet. Who raises it from 0 has the connection until it is 0 again. That of a closed
     * connection is never 0: an event that was still on its way is dropped. */
    atomic_uint events;
    enum { between_requests, in_parameters, in_body } state;
    uint16_t request;
    bool is_kept, has_id;
    struct id id;
    size_t gathered; /* bytes of parameters, at the start of `input` */
    size_t from, to; /* what was received and not yet read */
    uint8_t *input;  /* stays with the descriptor's number */
};

static struct connection connections[most_connections];
static int events_fd;

static bool read_length(const uint8_t **at, const uint8_t *end, size_t *length) {
    const uint8_t *p = *at;
    if (p == end) return false;
    if (*p < 128) {
        *length = *p;
        *at += 1;
        return true;
    }
    if (end - p < 4) return false;
    *length = (size_t)(p[0] & 127) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    *at += 4;
    return true;
}

/* The id in the cookie "sid", the first that is one. */
static bool find_id(const uint8_t *cookies, const uint8_t *end, struct id *id) {
    while (cookies < end) {
        const uint8_t *semicolon = memchr(cookies, ';', (size_t)(end - cookies));
        const uint8_t *stop = semicolon == NULL ? end : semicolon;
        while (cookies < stop && *cookies == ' ') cookies++;
        if (stop - cookies > 4 && memcmp(cookies, "sid=", 4) == 0
            && read_id(cookies + 4, (size_t)(stop - cookies - 4), id))
            return true;
        cookies = stop + 1;
    }
    return false;
}

/* False for parameters that are cut short. */
static bool read_parameters(struct connection *c) {
    static const char cookie[] = "HTTP_COOKIE";
    const uint8_t *at = c->input, *end = at + c->gathered;
    while (at < end) {
        size_t name, value;
        if (!read_length(&at, end, &name) || !read_length(&at, end, &value)) return false;
        if (name + value > (size_t)(end - at)) return false;
        if (name == sizeof cookie - 1 && memcmp(at, cookie, name) == 0)
            c->has_id = find_id(at + name, at + name + value, &c->id);
        at += name + value;
    }
    return true;
}

static char *put(char *at, const char *text, size_t length) {
    memcpy(at, text, length);
    return at + length;
}

#define PUT(at, text) put(at, text, sizeof text - 1)

static char *put_header(char *at, int type, uint16_t request, size_t length, size_t padding) {
    const char header[record_header] = {
        1, (char)type, (char)(request >> 8), (char)request, (char)(length >> 8), (char)length, (char)padding, 0,
    };
    return put(at, header, sizeof header);
}

static char *put_number(char *at, uint64_t number) {
    char digits[20], *first = digits + sizeof digits;
    do *--first = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    return put(at, first, (size_t)(digits + sizeof digits - first));
}

/* One write an answer. It is far smaller than a socket's buffer: a peer that leaves no room for it is given up. */
static bool answer(int fd, struct connection *c) {
    uint64_t counter = c->has_id ? count_on(&c->id) : 0;
    char body[24], answer[640], *content = answer + record_header, *at = PUT(content, "Status: 200 OK\r\n");
    if (counter == 0) {
        begin_session(&c->id);
        counter = 1;
        at = write_id(&c->id, PUT(at, "Set-Cookie: sid="));
        at = put_number(PUT(at, "; Max-Age="), idle_seconds);
        at = PUT(at, "; Path=/; HttpOnly; SameSite=Lax\r\n");
    }
    size_t count = (size_t)(PUT(put_number(body, counter), "\n") - body);
    at = PUT(at, "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
                 "Referrer-Policy: same-origin\r\nCache-Control: private, no-store\r\nX-Accel-Expires: 0\r\n"
                 "Vary: Cookie\r\nContent-Length: ");
    at = put(PUT(put_number(at, count), "\r\n\r\n"), body, count);
    size_t length = (size_t)(at - content), padding = -length & 7;
    put_header(answer, standard_output, c->request, length, padding);
    at = put(at, "\0\0\0\0\0\0\0", padding);
    at = put_header(at, standard_output, c->request, 0, 0);
    at = put_header(at, end_request, c->request, 8, 0);
    at = PUT(at, "\0\0\0\0\0\0\0\0"); /* FCGI_REQUEST_COMPLETE */
    return send(fd, answer, (size_t)(at - answer), MSG_NOSIGNAL) == at - answer;
}

/* False when the connection is to be closed. */
static bool read_record(
    int fd, struct connection *c, int type, uint16_t request, const uint8_t *content, size_t length) {
    if (type == begin_request) {
        if (c->state != between_requests || request == 0 || length != 8) return false;
        if (content[0] != 0 || content[1] != responder) return false;
        c->request = request;
        c->is_kept = content[2] & keep_connection;
        c->has_id = false;
        c->state = in_parameters;
        return true;
    }
    if (request != c->request) return false;
    if (type == parameters && c->state == in_parameters) {
        if (length > most_parameters - c->gathered) return false;
        if (length == 0) {
            c->state = in_body;
            if (!read_parameters(c)) return false;
            c->gathered = 0;
        } else {
            memmove(c->input + c->gathered, content, length);
            c->gathered += length;
        }
        return true;
    }
    if (type == standard_input && c->state == in_body) {
        /* A body is read away. */
        if (length > 0) return true;
        c->state = between_requests;
        return answer(fd, c) && c->is_kept;
    }
    return false;
}

static bool read_records(int fd, struct connection *c) {
    while (c->to - c->from >= record_header) {
        const uint8_t *header = c->input + c->from;
        size_t length = (size_t)header[4] << 8 | header[5], whole = record_header + length + header[6];
        if (header[0] != 1) return false;
        if (c->to - c->from < whole) break;
        c->from += whole;
        uint16_t request = (uint16_t)(header[2] << 8 | header[3]);
        if (!read_record(fd, c, header[1], request, header + record_header, length)) return false;
    }
    size_t rest = c->to - c->from;
    memmove(c->input + c->gathered, c->input + c->from, rest);
    c->from = c->gathered;
    c->to = c->from + rest;
    return true;
}

/* Reads what there is. The set tells of changes only: a read that did not fill its room needs no second one, unless the
 * peer may have gone behind its last bytes (`to_end`). */
static bool receive(int fd, struct connection *c, bool to_end) {
    while (true) {
        size_t room = input_size - c->to;
        ssize_t count = recv(fd, c->input + c->to, room, 0);
        if (count == 0) return false;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno == EAGAIN;
        c->to += (size_t)count;
        if (!read_records(fd, c)) return false;
        if (!to_end && (size_t)count < room) return true;
    }
}

static void serve_connection(int fd, uint32_t events) {
    struct connection *c = &connections[fd];
    bool to_end = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    if (atomic_fetch_add(&c->events, 1) != 0) return;
    for (unsigned seen = 1;; to_end = true) {
        if (!receive(fd, c, to_end)) {
            atomic_fetch_add(&c->events, 1); /* what was done to it comes before the number's next use */
            close(fd);
            return;
        }
        unsigned all = atomic_fetch_sub(&c->events, seen);
        if (all == seen) return;
        seen = all - seen;
    }
}

static void accept_connections(void) {
    while (true) {
        int fd = accept4(0, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN) return;
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) usleep(1000);
            continue;
        }
        if (fd >= most_connections) {
            close(fd);
            continue;
        }
        struct connection *c = &connections[fd];
        atomic_load(&c->events);
        if (c->input == NULL) c->input = allocate(input_size);
        c->state = between_requests;
        c->gathered = c->from = c->to = 0;
        atomic_store(&c->events, 0);
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        if (epoll_ctl(events_fd, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    }
}

static void *serve(void *unused) {
    struct epoll_event events[16];
    while (true) {
        int count = epoll_wait(events_fd, events, sizeof events / sizeof *events, -1);
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        for (int index = 0; index < count; index++) {
            if (events[index].data.fd == 0) accept_connections();
            else serve_connection(events[index].data.fd, events[index].events);
        }
    }
    return unused;
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 2;
    prepare_values();
    prepare_shards();
    events_fd = epoll_create1(EPOLL_CLOEXEC);
    if (events_fd < 0) fail("epoll_create1");
    if (fcntl(0, F_SETFL, O_NONBLOCK) != 0) fail("descriptor 0");
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = 0};
    if (epoll_ctl(events_fd, EPOLL_CTL_ADD, 0, &event) != 0) fail("descriptor 0");
    for (int index = 1; index < threads; index++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, NULL) != 0) fail("pthread_create");
    }
    serve(NULL);
}
