/* Large bodies through libfcgi as the manuals show it, a thread a request: what Tests/Programs/TransferProgram is measured
 * against. Usage: classic-transfer FILE [THREADS], listening on descriptor 0. */
#define _GNU_SOURCE
#include <fcgiapp.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { block_size = 64 << 10, streamed_blocks = 160 };

static const char *path;

static void put_head(FCGX_Request *request, long long length) {
    FCGX_FPrintF(
        request->out, "Content-Type: application/octet-stream\r\nContent-Length: %lld\r\n\r\n", length);
}

static void answer_file(FCGX_Request *request, char *block) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) exit(1);
    put_head(request, (long long)status.st_size);
    for (ssize_t count; (count = read(file, block, block_size)) > 0;) FCGX_PutStr(block, (int)count, request->out);
    close(file);
}

static void answer_stream(FCGX_Request *request, char *block) {
    memset(block, 'x', block_size);
    put_head(request, (long long)streamed_blocks * block_size);
    for (int index = 0; index < streamed_blocks; index++) FCGX_PutStr(block, block_size, request->out);
}

static void count_bytes(FCGX_Request *request, char *block) {
    long long all = 0;
    for (int count; (count = FCGX_GetStr(block, block_size, request->in)) > 0;) all += count;
    FCGX_FPrintF(request->out, "Content-Type: text/plain\r\n\r\n%lld\n", all);
}

static void *serve(void *unused) {
    char *block = malloc(block_size);
    FCGX_Request request;
    if (block == NULL) exit(1);
    FCGX_InitRequest(&request, 0, 0);
    while (FCGX_Accept_r(&request) == 0) {
        const char *uri = FCGX_GetParam("REQUEST_URI", request.envp);
        if (uri != NULL && strcmp(uri, "/app/file") == 0) answer_file(&request, block);
        else if (uri != NULL && strcmp(uri, "/app/stream") == 0) answer_stream(&request, block);
        else count_bytes(&request, block);
        FCGX_Finish_r(&request);
    }
    free(block);
    return unused;
}

int main(int argc, char **argv) {
    int threads = argc > 2 ? atoi(argv[2]) : 16;
    if (argc < 2 || FCGX_Init() != 0) return 1;
    path = argv[1];
    for (int index = 1; index < threads; index++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, NULL) != 0) return 1;
    }
    serve(NULL);
    return 0;
}
