/*
 * Many connections to one Unix socket, by the bare protocol.
 *
 *   crowd SOCKET storm COUNT THREADS
 *       each thread connects, logs in and leaves, again and again: "took MICROSECONDS"
 *   crowd SOCKET churn COUNT THREADS
 *       as storm, with a query between
 *   crowd SOCKET open COUNT QUERY
 *       opens them, each runs the query: "open COUNT"; then waits for the end of its input
 *   crowd SOCKET herd COUNT
 *       all at once: "served N refused N lost N"; refused are those told 53300
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER 4096

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static const char startup[] = "\0\0\0\51\0\3\0\0user\0postgres\0database\0postgres\0";

static void fail(const char *what)
{
    fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int connect_one(bool may_fail)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        if (!may_fail)
            fail("connect");
        close(fd);
        return -1;
    }
    return fd;
}

static bool send_all(int fd, const char *bytes, size_t size)
{
    return send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool is_ready(const char *answer, size_t length)
{
    return length >= 6 && memcmp(answer + length - 6, "Z\0\0\0\5", 5) == 0;
}

/* To ReadyForQuery. */
static void receive_ready(int fd)
{
    char answer[ANSWER];
    size_t length = 0;

    while (!is_ready(answer, length)) {
        const ssize_t got = recv(fd, answer + length, sizeof(answer) - length, 0);
        if (got <= 0) {
            errno = got == 0 ? ECONNRESET : errno;
            fail("receive");
        }
        length += (size_t)got;
        if (length == sizeof(answer)) {
            memmove(answer, answer + length - 8, 8);
            length = 8;
        }
    }
}

static void query(int fd, const char *text)
{
    char message[512];
    const size_t length = strlen(text) + 5;
    const uint32_t big = __builtin_bswap32((uint32_t)length);

    message[0] = 'Q';
    memcpy(message + 1, &big, 4);
    memcpy(message + 5, text, length - 4);
    if (!send_all(fd, message, length + 1))
        fail("send");
    receive_ready(fd);
}

static int log_in(void)
{
    const int fd = connect_one(false);

    if (!send_all(fd, startup, sizeof(startup)))
        fail("send");
    receive_ready(fd);
    return fd;
}

static void leave(int fd)
{
    (void)!send_all(fd, "X\0\0\0\4", 5);
    close(fd);
}

/* -- storm, churn ------------------------------------------------------------------------------ */

typedef struct Part {
    pthread_t id;
    long count;
    const char *query;
} Part;

static void *storm_main(void *argument)
{
    const Part *part = argument;

    for (long i = 0; i < part->count; i++) {
        const int fd = log_in();
        if (part->query)
            query(fd, part->query);
        leave(fd);
    }
    return NULL;
}

static void storm(long count, int threads, const char *text)
{
    Part *parts = calloc((size_t)threads, sizeof(Part));
    struct timespec start, end;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int t = 0; t < threads; t++) {
        parts[t] = (Part){.count = count / threads, .query = text};
        if (pthread_create(&parts[t].id, NULL, storm_main, &parts[t]) != 0)
            fail("thread");
    }
    for (int t = 0; t < threads; t++)
        pthread_join(parts[t].id, NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("took %ld\n",
           (end.tv_sec - start.tv_sec) * 1000000L + (end.tv_nsec - start.tv_nsec) / 1000);
    free(parts);
}

/* -- open -------------------------------------------------------------------------------------- */

static void open_many(long count, const char *text)
{
    for (long i = 0; i < count; i++)
        query(log_in(), text);
    printf("open %ld\n", count);
    fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0)
        continue;
}

/* -- herd -------------------------------------------------------------------------------------- */

typedef struct Peer {
    int fd;
    size_t length;
    char answer[ANSWER];
} Peer;

static bool contains(const char *bytes, size_t length, const char *word)
{
    return memmem(bytes, length, word, strlen(word)) != NULL;
}

/* All are connected (or in the backlog) before any is answered for; none leaves before the end. */
static void herd(long count)
{
    Peer *peers = calloc((size_t)count, sizeof(Peer));
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    long served = 0, refused = 0, lost = 0;

    for (long i = 0; i < count; i++) {
        peers[i].fd = connect_one(true);
        if (peers[i].fd < 0 || !send_all(peers[i].fd, startup, sizeof(startup))) {
            /* Refused before the startup packet was sent: the answer may be there all the same. */
            if (peers[i].fd < 0) {
                lost++;
                continue;
            }
        }
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &peers[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].fd, &event) != 0)
            fail("epoll");
    }
    while (served + refused + lost < count) {
        struct epoll_event events[256];
        const int ready = epoll_wait(epoll, events, 256, 20000);
        if (ready == 0)
            break; /* the rest is neither served nor refused */
        for (int i = 0; i < ready; i++) {
            Peer *peer = events[i].data.ptr;
            const ssize_t got =
                recv(peer->fd, peer->answer + peer->length, ANSWER - peer->length, MSG_DONTWAIT);
            if (got > 0)
                peer->length += (size_t)got;
            const bool is_refused = contains(peer->answer, peer->length, "C53300");
            if (got > 0 && !is_refused && !is_ready(peer->answer, peer->length))
                continue;
            epoll_ctl(epoll, EPOLL_CTL_DEL, peer->fd, NULL);
            served += !is_refused && got > 0;
            refused += is_refused;
            lost += !is_refused && got <= 0;
        }
    }
    printf("served %ld refused %ld lost %ld\n", served, refused, count - served - refused);
    free(peers);
}

int main(int argc, char **argv)
{
    struct rlimit limit;

    if (argc < 4 || strlen(argv[1]) >= sizeof(address.sun_path)) {
        fprintf(stderr,
                "usage: crowd SOCKET storm|churn COUNT THREADS | open COUNT QUERY | herd COUNT\n");
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
    const long count = strtol(argv[3], NULL, 10);
    if (strcmp(argv[2], "storm") == 0 && argc == 5)
        storm(count, (int)strtol(argv[4], NULL, 10), NULL);
    else if (strcmp(argv[2], "churn") == 0 && argc == 5)
        storm(count, (int)strtol(argv[4], NULL, 10), "SELECT 1");
    else if (strcmp(argv[2], "open") == 0 && argc == 5)
        open_many(count, argv[4]);
    else if (strcmp(argv[2], "herd") == 0 && argc == 4)
        herd(count);
    else
        return 2;
    return 0;
}
