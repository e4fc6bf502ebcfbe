/*
 * Messages of PostgreSQL's protocol 3.0: framing, reading fields, building.
 *
 * A message is a type byte, a 32-bit length that counts itself, and a body; a startup packet has no
 * type byte. All integers are big-endian, strings end in NUL. Source: PostgreSQL manual, "Message
 * Formats". Nothing here knows what a query is.
 *
 *   switch (frame_next(received, limit, &frame)) {          frame.body is a view of `received`
 *   case FRAME_WHOLE:   MessageReader in = message_reader(frame.body); …
 *   case FRAME_PARTIAL: read more; frame.size says how much the message needs in all
 *   case FRAME_INVALID: the stream is beyond repair: tell and close
 *   }
 *
 *   message_begin(&out, 'D');  message_put_int16(&out, 2);  …  message_end(&out);
 */
#ifndef PROTOCOL_MESSAGE_H
#define PROTOCOL_MESSAGE_H

#include "base/base.h"
#include "base/error.h"
#include "base/str.h"

/* Bounds on a message's length, as PostgreSQL has them. */
#define MESSAGE_SIZE_STARTUP 10000    /* startup packets */
#define MESSAGE_SIZE_LOGIN 65535      /* password and SASL messages */
#define MESSAGE_SIZE_SMALL 10000      /* messages without user data: Sync, Flush … */
#define MESSAGE_SIZE_LARGE 0x3fffffff /* queries, parameters, COPY data */

typedef struct Frame {
    char type; /* 0 for a startup packet */
    Str body;
    size_t size; /* bytes of the whole message in the stream */
} Frame;

typedef enum FrameOutcome {
    FRAME_INVALID = 0, /* the error is set: 08P01 */
    FRAME_PARTIAL,
    FRAME_WHOLE,
} FrameOutcome;

/* The first message of `received`. `logged_in` false: only login messages, of bounded length. */
MUST_CHECK FrameOutcome frame_next(Str received, bool logged_in, Frame *ret_frame);
MUST_CHECK FrameOutcome frame_next_startup(Str received, Frame *ret_frame);

/*
 * Fields in order. A read past the end sets `failed` and gives zeros and empty strings, so a
 * message is checked once, by message_done.
 */
typedef struct MessageReader {
    Str rest;
    bool failed;
    bool lacks_nul; /* it failed in a string that does not end */
} MessageReader;

static inline MessageReader message_reader(Str body)
{
    return (MessageReader){.rest = body};
}
uint8_t message_get_int8(MessageReader *in);
uint16_t message_get_int16(MessageReader *in);
uint32_t message_get_int32(MessageReader *in);
Str message_get_string(MessageReader *in); /* a view, without its NUL */
Str message_get_bytes(MessageReader *in, size_t count);
/* Everything was there and nothing is left; otherwise 08P01. */
MUST_CHECK bool message_done(const MessageReader *in);

/* Building: message_begin leaves room for the length, message_end fills it in. One at a time. */
typedef struct MessageOut {
    StrBuf buffer;    /* whole messages, and the one being built */
    size_t length_at; /* where the open message's length goes */
} MessageOut;

void message_begin(MessageOut *out, char type);
void message_end(MessageOut *out);
/* Takes back an open message. */
void message_cancel(MessageOut *out);
static inline void message_put_int8(MessageOut *out, uint8_t value)
{
    strbuf_append_char(&out->buffer, (char)value);
}
static inline void message_put_int16(MessageOut *out, uint16_t value)
{
    uint16_t big = __builtin_bswap16(value);
    strbuf_append_bytes(&out->buffer, &big, 2);
}
static inline void message_put_int32(MessageOut *out, uint32_t value)
{
    uint32_t big = __builtin_bswap32(value);
    strbuf_append_bytes(&out->buffer, &big, 4);
}
static inline void message_put_int64(MessageOut *out, uint64_t value)
{
    uint64_t big = __builtin_bswap64(value);
    strbuf_append_bytes(&out->buffer, &big, 8);
}
static inline void message_put_bytes(MessageOut *out, Str bytes)
{
    strbuf_append(&out->buffer, bytes);
}
void message_put_string(MessageOut *out, Str text); /* with NUL */

/* Whole messages that more than one place sends. */
void message_put_error(MessageOut *out, const ErrorFields *fields); /* ErrorResponse or Notice */
void message_put_parameter_status(MessageOut *out, Str name, Str value);
void message_put_ready(MessageOut *out, char transaction_state); /* 'I', 'T' or 'E' */
void message_put_command_complete(MessageOut *out, Str tag);
void message_put_backend_key(MessageOut *out, int32_t process_id, int32_t secret);
void message_put_empty(MessageOut *out, char type); /* one without a body */

#endif
