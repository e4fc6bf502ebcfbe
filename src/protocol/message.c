#include "protocol/message.h"

#define LENGTH_SIZE 4

static uint32_t load32(const char *data)
{
    uint32_t big;

    memcpy(&big, data, sizeof(big));
    return __builtin_bswap32(big);
}

/* The most a client message of this type may hold; 0 where there is no such type. */
static uint32_t size_limit(char type)
{
    switch (type) {
    case 'Q': /* Query */
    case 'P': /* Parse */
    case 'B': /* Bind */
    case 'F': /* FunctionCall */
    case 'd': /* CopyData */
        return MESSAGE_SIZE_LARGE;
    case 'p': /* a password, or SASL */
        return MESSAGE_SIZE_LOGIN;
    case 'C': /* Close */
    case 'D': /* Describe */
    case 'E': /* Execute */
    case 'H': /* Flush */
    case 'S': /* Sync */
    case 'X': /* Terminate */
    case 'c': /* CopyDone */
    case 'f': /* CopyFail */
        return MESSAGE_SIZE_SMALL;
    default:
        return 0;
    }
}

FrameOutcome frame_next(Str received, bool logged_in, Frame *ret_frame)
{
    if (received.length < 1)
        return FRAME_PARTIAL;
    char type = received.data[0];
    uint32_t limit = size_limit(type);
    if (limit == 0)
        FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
             .message = fmt("invalid frontend message type %d", (unsigned char)type));
    if (!logged_in && type != 'p')
        FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
             .message =
                 fmt("expected password response, got message type %d", (unsigned char)type));
    if (received.length < 1 + LENGTH_SIZE) {
        ret_frame->size = 1 + LENGTH_SIZE;
        return FRAME_PARTIAL;
    }
    uint32_t length = load32(received.data + 1);
    if (length < LENGTH_SIZE || length - LENGTH_SIZE > limit)
        FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
             .message = STR("invalid message length"));
    ret_frame->size = 1 + (size_t)length;
    if (received.length < ret_frame->size)
        return FRAME_PARTIAL;
    ret_frame->type = type;
    ret_frame->body = str_make(received.data + 1 + LENGTH_SIZE, length - LENGTH_SIZE);
    return FRAME_WHOLE;
}

FrameOutcome frame_next_startup(Str received, Frame *ret_frame)
{
    if (received.length < LENGTH_SIZE) {
        ret_frame->size = LENGTH_SIZE;
        return FRAME_PARTIAL;
    }
    uint32_t length = load32(received.data);
    if (length < 2 * LENGTH_SIZE || length > MESSAGE_SIZE_STARTUP)
        FAIL(ERR_PROTOCOL_VIOLATION, .severity = SEVERITY_FATAL,
             .message = STR("invalid length of startup packet"));
    ret_frame->size = length;
    if (received.length < length)
        return FRAME_PARTIAL;
    ret_frame->type = 0;
    ret_frame->body = str_make(received.data + LENGTH_SIZE, length - LENGTH_SIZE);
    return FRAME_WHOLE;
}

/* There is too little: all that is read from here on fails. */
static COLD void reader_fail(MessageReader *in)
{
    in->failed = true;
    in->rest = STR("");
}

Str message_get_bytes(MessageReader *in, size_t count)
{
    if (unlikely(count > in->rest.length)) {
        reader_fail(in);
        return STR("");
    }
    const Str bytes = str_make(in->rest.data, count);
    in->rest = str_make(in->rest.data + count, in->rest.length - count);
    return bytes;
}

uint8_t message_get_int8(MessageReader *in)
{
    const Str bytes = message_get_bytes(in, 1);
    return bytes.length == 1 ? (uint8_t)bytes.data[0] : 0;
}

uint16_t message_get_int16(MessageReader *in)
{
    const Str bytes = message_get_bytes(in, 2);
    if (bytes.length != 2)
        return 0;
    return (uint16_t)((uint8_t)bytes.data[0] << 8 | (uint8_t)bytes.data[1]);
}

uint32_t message_get_int32(MessageReader *in)
{
    const Str bytes = message_get_bytes(in, 4);
    return bytes.length == 4 ? load32(bytes.data) : 0;
}

Str message_get_string(MessageReader *in)
{
    const char *start = in->rest.data;
    /* Names are short or empty: a call for those is more than the look. */
    const char *end =
        in->rest.length > 0 && *start == '\0' ? start : memchr(start, '\0', in->rest.length);

    if (unlikely(!end)) {
        in->lacks_nul |= !in->failed;
        reader_fail(in);
        return STR("");
    }
    const Str text = str_make(start, (size_t)(end - start));
    in->rest = str_make(end + 1, in->rest.length - text.length - 1);
    return text;
}

bool message_done(const MessageReader *in)
{
    if (in->lacks_nul)
        FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("invalid string in message"));
    if (in->failed)
        FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("insufficient data left in message"));
    if (in->rest.length > 0)
        FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("invalid message format"));
    return true;
}

void message_begin(MessageOut *out, char type)
{
    *strbuf_reserve(&out->buffer, 1 + LENGTH_SIZE) = type;
    out->length_at = out->buffer.length + 1;
    strbuf_advance(&out->buffer, 1 + LENGTH_SIZE);
}

void message_end(MessageOut *out)
{
    uint32_t big = __builtin_bswap32((uint32_t)(out->buffer.length - out->length_at));

    memcpy(out->buffer.data + out->length_at, &big, sizeof(big));
}

void message_cancel(MessageOut *out)
{
    strbuf_truncate(&out->buffer, out->length_at - 1);
}

void message_put_string(MessageOut *out, Str text)
{
    strbuf_append(&out->buffer, text);
    strbuf_append_char(&out->buffer, '\0');
}

static Str severity_name(Severity severity)
{
    switch (severity) {
    case SEVERITY_ERROR:
        return STR("ERROR");
    case SEVERITY_FATAL:
        return STR("FATAL");
    case SEVERITY_PANIC:
        return STR("PANIC");
    case SEVERITY_WARNING:
        return STR("WARNING");
    case SEVERITY_NOTICE:
        return STR("NOTICE");
    case SEVERITY_INFO:
        return STR("INFO");
    case SEVERITY_LOG:
        return STR("LOG");
    case SEVERITY_DEBUG:
        return STR("DEBUG");
    }
    return STR("ERROR");
}

static void put_field(MessageOut *out, char code, Str text)
{
    if (str_is_none(text) || text.length == 0)
        return;
    message_put_int8(out, (uint8_t)code);
    message_put_string(out, text);
}

static void put_number(MessageOut *out, char code, int number)
{
    if (number <= 0)
        return;
    message_put_int8(out, (uint8_t)code);
    strbuf_append_int64(&out->buffer, number);
    message_put_int8(out, 0);
}

/* The last part of a path: what PostgreSQL reports as the file. */
static Str base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return str_from_c(slash ? slash + 1 : path);
}

void message_put_error(MessageOut *out, const ErrorFields *fields)
{
    SqlStateText state = sqlstate_text(fields->sqlstate);
    Str severity = severity_name(fields->severity);

    message_begin(out, fields->severity <= SEVERITY_PANIC ? 'E' : 'N');
    put_field(out, 'S', severity);
    put_field(out, 'V', severity);
    put_field(out, 'C', str_from_c(state.text));
    put_field(out, 'M', fields->message.length ? fields->message : STR("missing error text"));
    put_field(out, 'D', fields->detail);
    put_field(out, 'H', fields->hint);
    put_field(out, 'W', fields->context);
    put_field(out, 's', fields->schema_name);
    put_field(out, 't', fields->table_name);
    put_field(out, 'c', fields->column_name);
    put_field(out, 'd', fields->type_name);
    put_field(out, 'n', fields->constraint_name);
    put_number(out, 'P', fields->position);
    put_number(out, 'p', fields->internal_position);
    put_field(out, 'q', fields->internal_query);
    put_field(out, 'F', base_name(fields->file));
    put_number(out, 'L', fields->line);
    put_field(out, 'R', str_from_c(fields->function));
    message_put_int8(out, 0);
    message_end(out);
}

void message_put_parameter_status(MessageOut *out, Str name, Str value)
{
    message_begin(out, 'S');
    message_put_string(out, name);
    message_put_string(out, value);
    message_end(out);
}

void message_put_ready(MessageOut *out, char transaction_state)
{
    message_begin(out, 'Z');
    message_put_int8(out, (uint8_t)transaction_state);
    message_end(out);
}

void message_put_command_complete(MessageOut *out, Str tag)
{
    message_begin(out, 'C');
    message_put_string(out, tag);
    message_end(out);
}

void message_put_backend_key(MessageOut *out, int32_t process_id, int32_t secret)
{
    message_begin(out, 'K');
    message_put_int32(out, (uint32_t)process_id);
    message_put_int32(out, (uint32_t)secret);
    message_end(out);
}

void message_put_empty(MessageOut *out, char type)
{
    message_begin(out, type);
    message_end(out);
}
