/*
 * Connections: a socket with its buffers, served by coroutines of one worker.
 *
 * An idle connection is a descriptor watch: no stack, no buffers. When bytes arrive its `serve`
 * function runs on a coroutine until it returns; what arrives meanwhile waits. Inside `serve`:
 *
 *   switch (connection_receive(connection, wait)) …      more bytes into connection->in
 *   message_begin(&connection->out, 'T') …               answers gather in connection->out
 *   TRY(connection_flush(connection));                   a slow reader holds this coroutine only
 *
 * Invariant: N1 at most one coroutine serves a connection at a time.
 */
#ifndef SERVER_CONNECTION_H
#define SERVER_CONNECTION_H

#include <sys/socket.h>

#include "base/scheduler.h"
#include "protocol/message.h"
#include "protocol/transport.h"

typedef struct Connection Connection;

/* tcp_keepalives_idle, _interval and _count, tcp_user_timeout, as a socket has them. */
typedef struct TcpTimes {
    int idle, interval, count, user_timeout;
} TcpTimes;

struct Connection {
    FdWatch watch; /* first: the watch's callback finds us by it */
    Transport *transport;
    Scheduler *scheduler;
    /* Returns true when it has nothing more to do, false having closed and freed the connection. */
    bool (*serve)(Connection *connection);
    Task *task;      /* serving now */
    Event *waiting;  /* the serving coroutine waits for the descriptor */
    bool is_muted;   /* readability is not watched: input waits while a statement runs */
    bool peer_left;  /* EOF or reset seen */
    bool is_drained; /* the last read got less than it had room for: the loop tells of more */
    StrBuf in;       /* heap; bytes received and not yet consumed start at in_start */
    size_t in_start;
    MessageOut out; /* heap */
    size_t out_sent;
    bool is_local;
    struct sockaddr_storage address;
    TcpTimes usual_times; /* the kernel's own */
    bool has_own_times;
    uint64_t bytes_received, bytes_sent;
};

/* On the worker's own thread. Owns `fd`. */
MUST_CHECK bool connection_open(Connection *connection, Scheduler *scheduler, int fd);
/* Starts a coroutine that serves an idle connection. The connection's own worker only. */
void connection_serve(Connection *connection);
/* Also while `serve` runs, as its last act. */
void connection_close(Connection *connection);

typedef enum ReceiveOutcome {
    RECEIVE_FAILED = 0, /* error is set: interrupted, or the transport broke */
    RECEIVE_SOME,
    RECEIVE_NOTHING, /* wait was false and nothing is there */
    RECEIVE_CLOSED,
    RECEIVE_TIMED_OUT,
} ReceiveOutcome;
MUST_CHECK ReceiveOutcome connection_receive(Connection *connection, bool wait, Deadline deadline);
static inline Str connection_received(const Connection *connection)
{
    return str_make(connection->in.data + connection->in_start,
                    connection->in.length - connection->in_start);
}
void connection_consume(Connection *connection, size_t count);

/* Sends everything in `out`, waiting for the client as long as it takes. */
MUST_CHECK bool connection_flush(Connection *connection);
/* Waits until the descriptor is ready for `events` (FdEvents). */
MUST_CHECK WaitOutcome connection_wait(Connection *connection, uint32_t events, Deadline deadline);
/* TLS handshake after 'S' was sent. */
MUST_CHECK bool connection_start_tls(Connection *connection, TlsContext *context,
                                     Deadline deadline);

#endif
