#include "server/connection.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/pace.h"

#define RECEIVE_CHUNK 8192
#define RECEIVE_CHUNK_LARGE 65536
#define KEEP_BUFFER 16384 /* buffers larger than this are given back when idle */

static void serve_main(void *argument);

void connection_serve(Connection *connection)
{
    assert(!connection->task);
    connection->task = task_spawn(connection->scheduler, serve_main, connection);
}

static void on_ready(FdWatch *watch, uint32_t events)
{
    Connection *connection = (Connection *)watch;

    if (events & FD_CLOSED)
        connection->peer_left = true;
    if (connection->waiting) {
        event_set(connection->waiting);
        return;
    }
    if (!connection->task) {
        connection_serve(connection);
        return;
    }
    /* A statement runs. Input waits for its end; a peer that left ends it. */
    connection->is_muted = true;
    if (connection->peer_left) {
        scheduler_unwatch(connection->scheduler, watch);
        task_interrupt(connection->task, INTERRUPT_CLIENT_GONE);
    } else {
        scheduler_watch_change(connection->scheduler, watch, 0);
    }
}

/* Gives buffers back that an idle connection does not need. */
static void shrink(StrBuf *buf)
{
    if (buf->length == 0 && buf->capacity > KEEP_BUFFER)
        strbuf_deinit(buf);
}

static void serve_main(void *argument)
{
    Connection *connection = argument;

    if (!connection->serve(connection))
        return;
    connection->task = NULL;
    if (connection->is_muted) {
        connection->is_muted = false;
        if (connection->watch.fd >= 0)
            scheduler_watch_change(connection->scheduler, &connection->watch, FD_READABLE);
    }
    if (connection->peer_left && connection->watch.fd < 0)
        connection_serve(connection); /* to find that out and close */
}

bool connection_open(Connection *connection, Scheduler *scheduler, int fd)
{
    connection->transport = transport_new(fd);
    connection->scheduler = scheduler;
    connection->watch = (FdWatch){.fd = fd, .events = FD_READABLE, .callback = on_ready};
    return scheduler_watch(scheduler, &connection->watch);
}

void connection_close(Connection *connection)
{
    scheduler_unwatch(connection->scheduler, &connection->watch);
    transport_free(connection->transport);
    connection->transport = NULL;
    strbuf_deinit(&connection->in);
    strbuf_deinit(&connection->out.buffer);
}

WaitOutcome connection_wait(Connection *connection, uint32_t events, Deadline deadline)
{
    Event event;

    event_init(&event);
    if (connection->watch.fd < 0)
        return WAIT_DONE; /* the peer left: the next read or write says so */
    connection->waiting = &event;
    scheduler_watch_change(connection->scheduler, &connection->watch, events);
    WaitOutcome outcome = event_wait(
        &event, deadline, events & FD_WRITABLE ? WAIT_EVENT_CLIENT_WRITE : WAIT_EVENT_CLIENT_READ);
    connection->waiting = NULL;
    if (connection->watch.fd >= 0)
        scheduler_watch_change(connection->scheduler, &connection->watch, FD_READABLE);
    connection->is_muted = false;
    return outcome;
}

void connection_consume(Connection *connection, size_t count)
{
    connection->in_start += count;
    assert(connection->in_start <= connection->in.length);
    if (connection->in_start == connection->in.length) {
        connection->in.length = connection->in_start = 0;
        shrink(&connection->in);
    }
}

/* Moves what is left to the front once the consumed part is worth it. */
static void compact(Connection *connection)
{
    size_t left = connection->in.length - connection->in_start;

    if (connection->in_start == 0 || connection->in_start < left)
        return;
    memmove(connection->in.data, connection->in.data + connection->in_start, left);
    connection->in.length = left;
    connection->in_start = 0;
}

ReceiveOutcome connection_receive(Connection *connection, bool wait, Deadline deadline)
{
    if (connection->is_drained && !wait) {
        connection->is_drained = false;
        return RECEIVE_NOTHING;
    }
    compact(connection);
    size_t chunk = connection->in.length > RECEIVE_CHUNK ? RECEIVE_CHUNK_LARGE : RECEIVE_CHUNK;
    for (;;) {
        char *room = strbuf_reserve(&connection->in, chunk);
        size_t count = 0;
        TransportOutcome outcome = transport_receive(connection->transport, room, chunk, &count);
        if (outcome == TRANSPORT_DONE) {
            strbuf_advance(&connection->in, count);
            connection->bytes_received += count;
            connection->is_drained = count < chunk && !transport_is_tls(connection->transport);
            return RECEIVE_SOME;
        }
        if (outcome == TRANSPORT_FAILED)
            return RECEIVE_FAILED;
        if (outcome == TRANSPORT_CLOSED)
            return RECEIVE_CLOSED;
        if (!wait)
            return RECEIVE_NOTHING;
        switch (connection_wait(
            connection, outcome == TRANSPORT_WAIT_READ ? FD_READABLE : FD_WRITABLE, deadline)) {
        case WAIT_FAILED:
            return RECEIVE_FAILED;
        case WAIT_TIMED_OUT:
            return RECEIVE_TIMED_OUT;
        case WAIT_DONE:
            break;
        }
    }
}

bool connection_flush(Connection *connection)
{
    StrBuf *out = &connection->out.buffer;

    while (connection->out_sent < out->length) {
        size_t count = 0;
        TransportOutcome outcome =
            transport_send(connection->transport, out->data + connection->out_sent,
                           out->length - connection->out_sent, &count);
        switch (outcome) {
        case TRANSPORT_DONE:
            connection->out_sent += count;
            pace_turn(); /* of a fast client the socket takes much */
            connection->bytes_sent += count;
            break;
        case TRANSPORT_WAIT_READ:
        case TRANSPORT_WAIT_WRITE:
            if (connection_wait(connection,
                                outcome == TRANSPORT_WAIT_READ ? FD_READABLE : FD_WRITABLE,
                                DEADLINE_NEVER) == WAIT_FAILED)
                return false;
            if (connection->peer_left && connection->watch.fd < 0)
                FAIL(ERR_CONNECTION_FAILURE, .severity = SEVERITY_FATAL,
                     .message = STR("connection to client lost"));
            break;
        case TRANSPORT_FAILED:
            return false;
        case TRANSPORT_CLOSED:
            FAIL(ERR_CONNECTION_FAILURE, .severity = SEVERITY_FATAL,
                 .message = STR("connection to client lost"));
        }
    }
    out->length = connection->out_sent = 0;
    shrink(out);
    return true;
}

bool connection_start_tls(Connection *connection, TlsContext *context, Deadline deadline)
{
    for (;;) {
        switch (transport_tls_accept(connection->transport, context)) {
        case TRANSPORT_DONE:
            return true;
        case TRANSPORT_FAILED:
            return false;
        case TRANSPORT_CLOSED:
            FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
                 .message = STR("could not accept SSL connection: EOF detected"));
        case TRANSPORT_WAIT_READ:
            if (connection_wait(connection, FD_READABLE, deadline) != WAIT_DONE)
                return false;
            break;
        case TRANSPORT_WAIT_WRITE:
            if (connection_wait(connection, FD_WRITABLE, deadline) != WAIT_DONE)
                return false;
            break;
        }
    }
}
