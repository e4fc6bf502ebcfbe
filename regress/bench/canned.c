/*
 * A server that answers PostgreSQL's protocol with canned bytes: one row with one integer for each
 * query.
 *
 *   canned SOCKET THREADS [FILE]
 *
 * Each thread has its epoll and every so many-th connection; a request costs one recv and one send.
 * What it costs is what the kernel costs; servers are measured against it. With FILE it overwrites
 * a block of that and syncs it before each answer: what a commit costs the kernel.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUFFER 8192
#define BLOCK 8192
#define BLOCKS 2048

typedef struct Peer {
    int fd;
    int started;
    size_t length;
    char in[BUFFER];
} Peer;

static const char login[] = "R\0\0\0\10\0\0\0\0S\0\0\0\31client_encoding\0UTF8\0S\0\0\0\30server_"
                            "version\00015.0\0Z\0\0\0\5I";
static const char described[] =
    "T\0\0\0\41\0\1abalance\0\0\0\0\0\0\0\0\0\0\27\0\4\377\377\377\377\0\0";
static const char row[] = "D\0\0\0\13\0\1\0\0\0\0010C\0\0\0\rSELECT 1\0";
static const char ready[] = "Z\0\0\0\5I";
static const char parsed[] = "1\0\0\0\4", bound[] = "2\0\0\0\4", parameters[] = "t\0\0\0\6\0\0";

static uint32_t big32(const char *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return __builtin_bswap32(value);
}

static size_t put(char *out, size_t at, const char *bytes, size_t size)
{
    memcpy(out + at, bytes, size);
    return at + size;
}
#define PUT(text) (length = put(out, length, (text), sizeof(text) - 1))

static size_t answer(char type, char kind, char *out, size_t length)
{
    switch (type) {
    case 'Q':
        PUT(described);
        PUT(row);
        PUT(ready);
        break;
    case 'P':
        PUT(parsed);
        break;
    case 'B':
        PUT(bound);
        break;
    case 'D':
        if (kind == 'S')
            PUT(parameters);
        PUT(described);
        break;
    case 'E':
        PUT(row);
        break;
    case 'S':
        PUT(ready);
        break;
    }
    return length;
}

static int synced_file = -1;

/* Blocks one behind another, as a log is written. */
static int sync_block(void)
{
    static const char block[BLOCK];
    static atomic_uint next;
    const off_t at = (off_t)(atomic_fetch_add(&next, 1) % BLOCKS) * BLOCK;

    return pwrite(synced_file, block, BLOCK, at) == BLOCK && fdatasync(synced_file) == 0;
}

/* Its blocks exist before they are overwritten: a sync has no space to account for. */
static int open_synced(const char *path)
{
    synced_file = open(path, O_CREAT | O_RDWR, 0600);
    for (int i = 0; i < BLOCKS; i++)
        if (synced_file < 0 || !sync_block())
            return 0;
    return 1;
}

/* Answers the whole messages that are there. Returns 0 when the peer is done with. */
static int serve(Peer *peer)
{
    char out[BUFFER * 4];
    size_t at = 0, length = 0;
    ssize_t got = recv(peer->fd, peer->in + peer->length, BUFFER - peer->length, 0);

    if (got <= 0)
        return 0;
    peer->length += (size_t)got;
    while (peer->length - at >= 5) {
        size_t size = peer->started ? 1 + big32(peer->in + at + 1) : big32(peer->in + at);
        if (size > BUFFER)
            return 0;
        if (peer->length - at < size)
            break;
        if (!peer->started) {
            int is_request =
                big32(peer->in + at + 4) == 80877103 || big32(peer->in + at + 4) == 80877104;
            if (is_request) {
                PUT("N");
            } else {
                PUT(login);
                peer->started = 1;
            }
        } else if (peer->in[at] == 'X') {
            return 0;
        } else {
            length = answer(peer->in[at], peer->in[at + 5], out, length);
        }
        at += size;
    }
    memmove(peer->in, peer->in + at, peer->length - at);
    peer->length -= at;
    if (synced_file >= 0 && length > 0 && !sync_block())
        return 0;
    return length == 0 || send(peer->fd, out, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static void *work(void *argument)
{
    int epoll = *(int *)argument;
    struct epoll_event events[64];

    for (;;) {
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            Peer *peer = events[i].data.ptr;
            if (!serve(peer)) {
                close(peer->fd);
                free(peer);
            }
        }
    }
    return NULL;
}

int main(int count, char **arguments)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int threads = count > 2 ? (int)strtol(arguments[2], NULL, 10) : 1,
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
    int *epolls = calloc((size_t)threads, sizeof(int));

    if (count < 2 || !epolls)
        return 2;
    if (count > 3 && !open_synced(arguments[3])) {
        perror("canned");
        return 1;
    }
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", arguments[1]);
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 1024) != 0) {
        perror("canned");
        return 1;
    }
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        epolls[i] = epoll_create1(0);
        pthread_create(&thread, NULL, work, &epolls[i]);
    }
    for (int next = 0;; next = (next + 1) % threads) {
        Peer *peer = calloc(1, sizeof(Peer));
        if (!peer || (peer->fd = accept(listener, NULL, NULL)) < 0)
            return 1;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
        epoll_ctl(epolls[next], EPOLL_CTL_ADD, peer->fd, &event);
    }
}
