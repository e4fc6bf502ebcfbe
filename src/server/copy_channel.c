/* COPY's stream to and from the client: CopyData, CopyDone, CopyFail. */
#include "server/copy_channel.h"

#include "base/pace.h"

static void put_response(Session *session, char type, bool is_binary, uint32_t columns)
{
    MessageOut *out = &session->connection.out;

    message_begin(out, type);
    message_put_int8(out, is_binary);
    message_put_int16(out, (uint16_t)columns);
    for (uint32_t i = 0; i < columns; i++)
        message_put_int16(out, is_binary);
    message_end(out);
}

static bool begin_in(CopyChannel *channel, bool is_binary, uint32_t columns)
{
    Session *session = ((SessionCopy *)channel)->session;

    put_response(session, 'G', is_binary, columns);
    return session_flush(session);
}

/* The next message, waiting for it; its body stays where it is until the next call. */
static bool next_frame(SessionCopy *copy, Frame *ret_frame)
{
    Connection *connection = &copy->session->connection;

    connection_consume(connection, copy->unconsumed);
    copy->unconsumed = 0;
    for (;;) {
        switch (frame_next(connection_received(connection), true, ret_frame)) {
        case FRAME_INVALID:
            copy->session->is_closing = true;
            return false;
        case FRAME_WHOLE:
            copy->unconsumed = ret_frame->size;
            return true;
        case FRAME_PARTIAL:
            break;
        }
        switch (connection_receive(connection, true, DEADLINE_NEVER)) {
        case RECEIVE_SOME:
            break;
        case RECEIVE_FAILED:
            return false;
        default:
            FAIL(ERR_CONNECTION_FAILURE, .severity = SEVERITY_FATAL,
                 .message = STR("unexpected EOF on client connection with an open transaction"));
        }
    }
}

static bool read_data(CopyChannel *channel, Str *ret_data, bool *ret_end)
{
    SessionCopy *copy = (SessionCopy *)channel;
    Frame frame;

    *ret_end = false;
    for (;;) {
        TRY(next_frame(copy, &frame));
        switch (frame.type) {
        case 'd':
            *ret_data = frame.body;
            return true;
        case 'c':
            connection_consume(&copy->session->connection, copy->unconsumed);
            copy->unconsumed = 0;
            *ret_end = true;
            return true;
        case 'f': {
            MessageReader in = message_reader(frame.body);
            Str why = message_get_string(&in);
            FAIL(ERR_QUERY_CANCELED, .message = fmt("COPY from stdin failed: %.*s", STR_ARGS(why)));
        }
        case 'H':
        case 'S':
            break; /* the client had them in its pipeline already */
        default:
            copy->session->is_closing = true;
            FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
                 .message = fmt("unexpected message type 0x%02X during COPY from stdin",
                                (unsigned char)frame.type));
        }
    }
}

/* A Sync in the pipeline is for after a fault, so what there is of rows comes before it. */
static bool would_wait(CopyChannel *channel)
{
    const SessionCopy *copy = (SessionCopy *)channel;
    const Str received = connection_received(&copy->session->connection);
    const Str rest = str_slice(received, copy->unconsumed, received.length - copy->unconsumed);
    Frame frame;
    const FrameOutcome outcome = frame_next(rest, true, &frame);

    if (outcome == FRAME_INVALID)
        error_clear(); /* read tells of it */
    return outcome == FRAME_PARTIAL ||
           (outcome == FRAME_WHOLE && (frame.type == 'S' || frame.type == 'H'));
}

static bool begin_out(CopyChannel *channel, bool is_binary, uint32_t columns)
{
    put_response(((SessionCopy *)channel)->session, 'H', is_binary, columns);
    return true;
}

static bool write_data(CopyChannel *channel, Str data)
{
    Session *session = ((SessionCopy *)channel)->session;
    MessageOut *out = &session->connection.out;

    message_begin(out, 'd');
    if (unlikely(!pace_append(&out->buffer, data))) {
        message_cancel(out);
        return false;
    }
    message_end(out);
    return session_flush_if_full(session);
}

static bool end_out(CopyChannel *channel)
{
    message_put_empty(&((SessionCopy *)channel)->session->connection.out, 'c');
    return true;
}

void session_copy_init(SessionCopy *copy, Session *session)
{
    *copy = (SessionCopy){
        .channel = {.begin_in = begin_in,
                    .read = read_data,
                    .would_wait = would_wait,
                    .begin_out = begin_out,
                    .write = write_data,
                    .end_out = end_out},
        .session = session,
    };
}

void session_copy_deinit(SessionCopy *copy)
{
    connection_consume(&copy->session->connection, copy->unconsumed);
    copy->unconsumed = 0;
}
