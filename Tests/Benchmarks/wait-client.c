/* Asks for one thing over many connections at a time, without a web server, for `deploy/bench waits`:
 * wait-client SOCKET URI COUNT [SECONDS]
 *
 * Prints how long it took until all were answered, in milliseconds, and how many were not. With SECONDS it reads what comes
 * for so long, and prints how many connections were still open at the end and how many bytes came. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static size_t pair(unsigned char *to, const char *name, const char *value)
{
    size_t n = strlen(name), v = strlen(value);
    to[0] = (unsigned char)n;
    to[1] = (unsigned char)v;
    memcpy(to + 2, name, n);
    memcpy(to + 2 + n, value, v);
    return 2 + n + v;
}

static size_t record(unsigned char *to, int type, size_t count)
{
    unsigned char header[8] = {1, (unsigned char)type, 0, 1, (unsigned char)(count >> 8), (unsigned char)count, 0, 0};
    memcpy(to, header, sizeof header);
    return sizeof header;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: wait-client SOCKET URI COUNT [SECONDS]\n", stderr);
        return 64;
    }
    int count = atoi(argv[3]), open = count, answered = 0;
    double hold = argc > 4 ? atof(argv[4]) * 1e3 : 0;
    unsigned char request[1024] = {1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0}, parameters[512];
    size_t size = 16, length = 0;
    if (strlen(argv[2]) > 100) return 64;
    length += pair(parameters, "REQUEST_METHOD", "GET");
    length += pair(parameters + length, "REQUEST_URI", argv[2]);
    size += record(request + size, 4, length);
    memcpy(request + size, parameters, length);
    size += length;
    size += record(request + size, 4, 0);
    size += record(request + size, 5, 0);

    struct pollfd *peers = calloc((size_t)count, sizeof *peers);
    if (!peers) return 1;
    for (int i = 0; i < count; i++) peers[i] = (struct pollfd){.fd = connect_to(argv[1]), .events = POLLIN};
    double start = now_ms(), end = hold ? start + hold : start + 60e3;
    long long bytes = 0;
    for (int i = 0; i < count; i++)
        if (write(peers[i].fd, request, size) != (ssize_t)size) open--;
    while (open > 0 && now_ms() < end && (hold || answered < count)) {
        int left = (int)(end - now_ms());
        if (poll(peers, (nfds_t)count, left > 0 ? left : 0) <= 0) break;
        for (int i = 0; i < count; i++) {
            if (!peers[i].revents) continue;
            unsigned char answer[65536];
            ssize_t got = read(peers[i].fd, answer, sizeof answer);
            if (got < 0 && errno == EINTR) continue;
            if (got > 0) bytes += got;
            /* Small answers come whole: END_REQUEST is their last record. */
            if (got <= 0 || (!hold && got >= 16 && answer[got - 15] == 3)) {
                if (got > 0) answered++;
                else open--;
                close(peers[i].fd);
                peers[i].fd = -1;
            }
        }
    }
    if (hold) printf("%d %lld\n", open, bytes);
    else printf("%.0f %d\n", now_ms() - start, count - answered);
    return 0;
}
