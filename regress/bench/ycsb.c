/*
 * YCSB's workloads A to F against PostgreSQL's protocol, by libpq without blocking.
 *
 *   ycsb load ROWS                                              makes and fills usertable
 *   ycsb run WORKLOAD ROWS CLIENTS THREADS SECONDS SEED         prints "operations N errors N p50 N
 * p95 N p99 N" (microseconds)
 *
 * Where to connect comes from the environment, as for psql. Rows are a key of 20 bytes and ten
 * fields of 100; keys are hashed, so that popular rows lie anywhere. Zipfian with theta 0.99 as
 * Gray et al., "Quickly Generating Billion-Record Synthetic Databases", have it. Each thread has
 * its share of the connections and one epoll; every connection has one request under way.
 */
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define FIELDS 10
#define FIELD_SIZE 100
#define KEY_SIZE 32
#define SCAN_MOST 100
#define LATENCY_BUCKETS 4096 /* logarithmic: 64 to each doubling */

typedef enum Operation { READ, UPDATE, INSERT, SCAN, MODIFY_READ, MODIFY_WRITE } Operation;

typedef struct Workload {
    char letter;
    int read, update, insert, scan, modify; /* percent */
    bool latest;
} Workload;

static const Workload workloads[] = {
    {'A', 50, 50, 0, 0, 0, false}, {'B', 95, 5, 0, 0, 0, false}, {'C', 100, 0, 0, 0, 0, false},
    {'D', 95, 0, 5, 0, 0, true},   {'E', 0, 0, 5, 95, 0, false}, {'F', 50, 0, 0, 0, 50, false},
};

typedef struct Zipfian {
    uint64_t count;
    double zeta, theta, alpha, eta, half;
} Zipfian;

static const Workload *workload;
static Zipfian zipfian;
static _Atomic uint64_t next_row;
static _Atomic bool stopping;

typedef struct Client {
    PGconn *connection;
    struct Thread *thread;
    Operation operation;
    char key[KEY_SIZE];
    uint64_t started;
    bool is_waiting;
} Client;

typedef struct Thread {
    pthread_t id;
    uint64_t random;
    Client *clients;
    int client_count, epoll;
    uint64_t operations, errors;
    uint64_t latencies[LATENCY_BUCKETS];
} Thread;

static void fail(const char *what, PGconn *connection)
{
    fprintf(stderr, "ycsb: %s: %s\n", what,
            connection ? PQerrorMessage(connection) : strerror(errno));
    exit(1);
}

static uint64_t now_microseconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t draw(Thread *thread)
{
    return thread->random = mix(thread->random);
}

static void zipfian_init(Zipfian *z, uint64_t count)
{
    double zeta2 = 0;

    *z = (Zipfian){.count = count, .theta = 0.99};
    for (uint64_t i = 1; i <= count; i++) {
        z->zeta += 1 / pow((double)i, z->theta);
        if (i == 2)
            zeta2 = z->zeta;
    }
    z->alpha = 1 / (1 - z->theta);
    z->eta = (1 - pow(2.0 / (double)count, 1 - z->theta)) / (1 - zeta2 / z->zeta);
    z->half = 1 + pow(0.5, z->theta);
}

static uint64_t zipfian_draw(const Zipfian *z, Thread *thread)
{
    const double u = (double)(draw(thread) >> 11) / 9007199254740992.0, uz = u * z->zeta;

    if (uz < 1)
        return 0;
    if (uz < z->half)
        return 1;
    const uint64_t rank = (uint64_t)((double)z->count * pow(z->eta * u - z->eta + 1, z->alpha));
    return rank < z->count ? rank : z->count - 1;
}

/* "user" and sixteen hexadecimal digits, hashed: neighbours in rank are not neighbours in the
 * index. */
static void key_of(uint64_t row, char *key)
{
    snprintf(key, KEY_SIZE, "user%016" PRIx64, mix(row));
}

static void field_fill(uint64_t random, char *field)
{
    for (int i = 0; i < FIELD_SIZE; i++) {
        if (i % 8 == 0)
            random = mix(random);
        field[i] = (char)('a' + (random >> (i % 8 * 8) & 15));
    }
    field[FIELD_SIZE] = '\0';
}

/* -- Loading ----------------------------------------------------------------------------------- */

static PGconn *connect_one(void)
{
    PGconn *connection = PQconnectdb("");

    if (PQstatus(connection) != CONNECTION_OK)
        fail("connect", connection);
    return connection;
}

static void execute(PGconn *connection, const char *text)
{
    PGresult *result = PQexec(connection, text);

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_COPY_IN)
        fail(text, connection);
    PQclear(result);
}

static void load(uint64_t rows)
{
    PGconn *connection = connect_one();
    char line[KEY_SIZE + FIELDS * (FIELD_SIZE + 2)];

    execute(connection, "DROP TABLE IF EXISTS usertable");
    execute(connection,
            "CREATE TABLE usertable (ycsb_key text PRIMARY KEY, field0 text, field1 text, field2 "
            "text, field3 text,"
            " field4 text, field5 text, field6 text, field7 text, field8 text, field9 text)");
    execute(connection, "COPY usertable FROM STDIN");
    for (uint64_t row = 0; row < rows; row++) {
        key_of(row, line);
        size_t at = strlen(line);
        for (int f = 0; f < FIELDS; f++) {
            line[at++] = '\t';
            field_fill(row * FIELDS + (uint64_t)f, line + at);
            at += FIELD_SIZE;
        }
        line[at++] = '\n';
        if (PQputCopyData(connection, line, (int)at) != 1)
            fail("COPY", connection);
    }
    if (PQputCopyEnd(connection, NULL) != 1)
        fail("COPY", connection);
    PGresult *result = PQgetResult(connection);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail("COPY", connection);
    PQclear(result);
    PQclear(PQgetResult(connection));
    execute(connection, "ANALYZE usertable");
    execute(connection, "CHECKPOINT");
    PQfinish(connection);
}

/* -- Running ----------------------------------------------------------------------------------- */

static void prepare(PGconn *connection, const char *name, const char *text)
{
    PGresult *result = PQprepare(connection, name, text, 0, NULL);

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail(text, connection);
    PQclear(result);
}

static void client_open(Client *client)
{
    char text[160];

    client->connection = connect_one();
    prepare(client->connection, "read", "SELECT * FROM usertable WHERE ycsb_key = $1");
    prepare(client->connection, "scan",
            "SELECT * FROM usertable WHERE ycsb_key >= $1 ORDER BY ycsb_key LIMIT $2::int");
    prepare(client->connection, "insert",
            "INSERT INTO usertable VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
    for (int f = 0; f < FIELDS; f++) {
        char name[16];
        snprintf(name, sizeof(name), "update%d", f);
        snprintf(text, sizeof(text), "UPDATE usertable SET field%d = $2 WHERE ycsb_key = $1", f);
        prepare(client->connection, name, text);
    }
    if (PQsetnonblocking(client->connection, 1) != 0)
        fail("nonblocking", client->connection);
}

static uint64_t choose_row(Thread *thread)
{
    const uint64_t rank = zipfian_draw(&zipfian, thread), count = atomic_load(&next_row);

    /* D reads what was inserted last; the newest few may not have been committed yet. */
    return workload->latest ? (count > rank + 200 ? count - 200 - rank : rank) : rank;
}

static void send(Client *client, const char *name, int count, const char *const *values)
{
    if (!PQsendQueryPrepared(client->connection, name, count, values, NULL, NULL, 0))
        fail(name, client->connection);
    if (PQflush(client->connection) < 0)
        fail("flush", client->connection);
}

static void send_update(Client *client)
{
    char name[16], field[FIELD_SIZE + 1];
    const char *values[] = {client->key, field};
    const uint64_t random = draw(client->thread);

    field_fill(random, field);
    snprintf(name, sizeof(name), "update%d", (int)(random % FIELDS));
    send(client, name, 2, values);
}

static void send_insert(Client *client)
{
    char fields[FIELDS][FIELD_SIZE + 1];
    const char *values[FIELDS + 1] = {client->key};

    key_of(atomic_fetch_add(&next_row, 1), client->key);
    for (int f = 0; f < FIELDS; f++) {
        field_fill(draw(client->thread), fields[f]);
        values[f + 1] = fields[f];
    }
    send(client, "insert", FIELDS + 1, values);
}

static void send_scan(Client *client)
{
    char limit[16];
    const char *values[] = {client->key, limit};

    snprintf(limit, sizeof(limit), "%d", (int)(1 + draw(client->thread) % SCAN_MOST));
    send(client, "scan", 2, values);
}

static void client_begin(Client *client)
{
    const int percent = (int)(draw(client->thread) % 100);
    const char *values[] = {client->key};

    client->is_waiting = true;
    client->started = now_microseconds();
    key_of(choose_row(client->thread), client->key);
    if (percent < workload->read) {
        client->operation = READ;
        send(client, "read", 1, values);
    } else if (percent < workload->read + workload->update) {
        client->operation = UPDATE;
        send_update(client);
    } else if (percent < workload->read + workload->update + workload->insert) {
        client->operation = INSERT;
        send_insert(client);
    } else if (percent < workload->read + workload->update + workload->insert + workload->scan) {
        client->operation = SCAN;
        send_scan(client);
    } else {
        client->operation = MODIFY_READ;
        send(client, "read", 1, values);
    }
}

static int bucket_of(uint64_t microseconds)
{
    const int bucket = (int)(log2((double)microseconds + 1) * 64);

    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* Reads what has come; true when the answer is whole. */
static bool client_receive(Client *client)
{
    PGconn *connection = client->connection;

    if (!PQconsumeInput(connection))
        fail("receive", connection);
    while (!PQisBusy(connection)) {
        PGresult *result = PQgetResult(connection);
        if (!result)
            return true;
        const ExecStatusType status = PQresultStatus(result);
        const bool is_read = client->operation == READ || client->operation == MODIFY_READ;
        if ((status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) ||
            (is_read && PQntuples(result) != 1)) {
            if (client->thread->errors++ == 0)
                fprintf(stderr, "ycsb: %s\n",
                        is_read && status == PGRES_TUPLES_OK ? "a row is missing"
                                                             : PQerrorMessage(connection));
        }
        PQclear(result);
    }
    return false;
}

static void client_serve(Client *client)
{
    if (!client_receive(client))
        return;
    if (client->operation == MODIFY_READ) {
        client->operation = MODIFY_WRITE;
        send_update(client);
        return;
    }
    client->is_waiting = false;
    client->thread->operations++;
    client->thread->latencies[bucket_of(now_microseconds() - client->started)]++;
    if (!atomic_load_explicit(&stopping, memory_order_relaxed))
        client_begin(client);
}

/* What was sent is answered before the end: every insert that was counted is there. */
static bool thread_is_done(const Thread *thread)
{
    if (!atomic_load_explicit(&stopping, memory_order_relaxed))
        return false;
    for (int i = 0; i < thread->client_count; i++)
        if (thread->clients[i].is_waiting)
            return false;
    return true;
}

static void *thread_main(void *argument)
{
    Thread *thread = argument;
    struct epoll_event events[64];

    for (int i = 0; i < thread->client_count; i++)
        client_begin(&thread->clients[i]);
    while (!thread_is_done(thread)) {
        const int count = epoll_wait(thread->epoll, events, 64, 100);
        for (int i = 0; i < count; i++)
            client_serve(events[i].data.ptr);
    }
    return NULL;
}

static void thread_open(Thread *thread, int clients, uint64_t seed)
{
    thread->random = seed;
    thread->client_count = clients;
    thread->clients = calloc((size_t)clients, sizeof(Client));
    thread->epoll = epoll_create1(0);
    for (int i = 0; i < clients; i++) {
        Client *client = &thread->clients[i];
        client->thread = thread;
        client_open(client);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        if (epoll_ctl(thread->epoll, EPOLL_CTL_ADD, PQsocket(client->connection), &event) != 0)
            fail("epoll", NULL);
    }
}

static uint64_t percentile(const uint64_t *latencies, uint64_t total, double part)
{
    uint64_t seen = 0;

    for (int i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latencies[i];
        if ((double)seen >= (double)total * part)
            return (uint64_t)pow(2, (double)(i + 1) / 64);
    }
    return 0;
}

static void run(int clients, int thread_count, int seconds, uint64_t seed)
{
    Thread *threads = calloc((size_t)thread_count, sizeof(Thread));
    uint64_t operations = 0, errors = 0;
    static uint64_t latencies[LATENCY_BUCKETS];

    for (int t = 0; t < thread_count; t++)
        thread_open(&threads[t], clients / thread_count + (t < clients % thread_count),
                    mix(seed * 1000 + (uint64_t)t));
    for (int t = 0; t < thread_count; t++)
        if (pthread_create(&threads[t].id, NULL, thread_main, &threads[t]) != 0)
            fail("thread", NULL);
    nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
    atomic_store(&stopping, true);
    for (int t = 0; t < thread_count; t++) {
        pthread_join(threads[t].id, NULL);
        operations += threads[t].operations;
        errors += threads[t].errors;
        for (int i = 0; i < LATENCY_BUCKETS; i++)
            latencies[i] += threads[t].latencies[i];
        for (int i = 0; i < threads[t].client_count; i++)
            PQfinish(threads[t].clients[i].connection);
        free(threads[t].clients);
    }
    free(threads);
    printf("operations %" PRIu64 " errors %" PRIu64 " p50 %" PRIu64 " p95 %" PRIu64 " p99 %" PRIu64
           " rows %" PRIu64 "\n",
           operations, errors, percentile(latencies, operations, 0.50),
           percentile(latencies, operations, 0.95), percentile(latencies, operations, 0.99),
           (uint64_t)atomic_load(&next_row));
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "load") == 0) {
        load(strtoull(argv[2], NULL, 10));
        return 0;
    }
    if (argc != 8 || strcmp(argv[1], "run") != 0) {
        fprintf(stderr,
                "usage: ycsb load ROWS | ycsb run WORKLOAD ROWS CLIENTS THREADS SECONDS SEED\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++)
        if (workloads[i].letter == argv[2][0])
            workload = &workloads[i];
    const uint64_t rows = strtoull(argv[3], NULL, 10);
    if (!workload || rows < 1000) {
        fprintf(stderr, "ycsb: no such workload, or fewer than 1000 rows\n");
        return 2;
    }
    zipfian_init(&zipfian, rows);
    atomic_store(&next_row, rows);
    run((int)strtol(argv[4], NULL, 10), (int)strtol(argv[5], NULL, 10),
        (int)strtol(argv[6], NULL, 10), strtoull(argv[7], NULL, 10));
    return 0;
}
