/* Rows on the wire: RowDescription and DataRow. */
#include "base/pace.h"
#include "server/client_text.h"
#include "server/portal.h"
#include "types/type.h"

/* PostgreSQL's pg_type.typlen as RowDescription tells it; user types are variable. */
static int16_t type_length(Oid type)
{
    const BuiltinType *builtin = builtin_type(type);

    return builtin ? builtin->length : -1;
}

static char *put16(char *to, uint16_t value)
{
    const uint16_t big = __builtin_bswap16(value);

    memcpy(to, &big, sizeof(big));
    return to + sizeof(big);
}

static char *put32(char *to, uint32_t value)
{
    const uint32_t big = __builtin_bswap32(value);

    memcpy(to, &big, sizeof(big));
    return to + sizeof(big);
}

#define COLUMN_SIZE 18 /* of a column's description, beside its name */

static char *put_column(char *to, const ResultColumn *column, uint16_t format)
{
    /* A literal nobody gave a type to goes out as text. */
    const Oid type = column->type == TYPE_UNKNOWN ? TYPE_TEXT : column->type;

    memcpy(to, column->name.data, column->name.length);
    to += column->name.length;
    *to++ = '\0';
    to = put32(to, column->table);
    to = put16(to, (uint16_t)column->table_column);
    to = put32(to, type);
    to = put16(to, (uint16_t)type_length(type));
    to = put32(to, (uint32_t)column->type_modifier);
    return put16(to, format);
}

static void put_description(Session *session, const RowDescription *description,
                            const uint16_t *formats, uint32_t format_count)
{
    MessageOut *out = &session->connection.out;
    size_t size = sizeof(uint16_t);

    for (uint32_t i = 0; i < description->count; i++)
        size += description->columns[i].name.length + 1 + COLUMN_SIZE;
    message_begin(out, 'T');
    char *to = put16(strbuf_reserve(&out->buffer, size), (uint16_t)description->count);
    for (uint32_t i = 0; i < description->count; i++)
        to = put_column(to, &description->columns[i], wire_format(formats, format_count, i));
    strbuf_advance(&out->buffer, size);
    message_end(out);
}

/* The names in the client's encoding. */
static bool put_converted(Session *session, const RowDescription *description,
                          const uint16_t *formats, uint32_t format_count)
{
    CLEANUP(arena_freep) Arena *arena = arena_new("description");
    RowDescription told = *description;

    ResultColumn *columns =
        arena_copy(arena, description->columns, description->count * sizeof(*columns));
    for (uint32_t i = 0; i < told.count; i++)
        TRY(client_text_give(session, arena, &columns[i].name));
    told.columns = columns;
    put_description(session, &told, formats, format_count);
    return true;
}

bool wire_put_description(Session *session, const RowDescription *description,
                          const uint16_t *formats, uint32_t format_count)
{
    if (unlikely(session->client_encoding != 0))
        return put_converted(session, description, formats, format_count);
    put_description(session, description, formats, format_count);
    return true;
}

static bool wire_describe(RowSink *sink, const RowDescription *description)
{
    WireSink *wire = (WireSink *)sink;

    if (wire->tells_description && description->columns)
        return wire_put_description(wire->session, description, wire->formats, wire->format_count);
    return true;
}

/* How one column's values become bytes, looked up once a batch. */
typedef struct ColumnWriter {
    const Vector *vector;
    Oid type;
    uint16_t format;
} ColumnWriter;

static bool put_field(MessageOut *out, Oid type, uint16_t format, const Value *value, bool is_null)
{
    size_t length_at = out->buffer.length;

    if (is_null) {
        message_put_int32(out, UINT32_MAX);
        return true;
    }
    message_put_int32(out, 0);
    if (format == 1)
        TRY(type_send(type, value, &out->buffer));
    else if (type == TYPE_INT4)
        strbuf_append_int64(&out->buffer, value->int32);
    else if (type == TYPE_INT8)
        strbuf_append_int64(&out->buffer, value->int64);
    else if (type == TYPE_TEXT || type == TYPE_VARCHAR || type == TYPE_BPCHAR || type == TYPE_NAME)
        TRY(pace_append(&out->buffer, var_str(value->var)));
    else
        TRY(type_output(type, value, &out->buffer));
    uint32_t big = __builtin_bswap32((uint32_t)(out->buffer.length - length_at - 4));
    memcpy(out->buffer.data + length_at, &big, sizeof(big));
    return true;
}

static bool put_value(MessageOut *out, const ColumnWriter *column, uint32_t row)
{
    Value value;
    bool is_null;

    vector_get(column->vector, row, &value, &is_null);
    return put_field(out, column->type, column->format, &value, is_null);
}

/* A message is at most 1 GiB, as PostgreSQL's are; `before` is where its last field begins. */
static bool row_fits(const MessageOut *out, size_t start, size_t before)
{
    if (out->buffer.length - start <= MESSAGE_SIZE_LARGE)
        return true;
    const size_t there = before - start; /* less the message's length, and the field's */
    FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("out of memory"),
         .detail = fmt("Cannot enlarge string buffer containing %zu bytes by %zu more bytes.",
                       there, out->buffer.length - before - 4));
}

/* Of the row whose length goes to out->length_at. */
static inline bool put_row_end(const WireSink *wire, const RowDescription *description)
{
    Session *session = wire->session;
    MessageOut *out = &session->connection.out;

    if (unlikely(session->client_encoding != 0)) {
        const size_t start = out->length_at + sizeof(uint32_t) + sizeof(uint16_t);
        if (!client_row_give(session, description, wire->formats, wire->format_count, start)) {
            message_cancel(out);
            return false;
        }
    }
    message_end(out);
    return true;
}

static bool wire_rows(RowSink *sink, const RowDescription *description, const Batch *batch)
{
    WireSink *wire = (WireSink *)sink;
    MessageOut *out = &wire->session->connection.out;
    Arena *arena = wire->session->statement_arena;
    ArenaMark mark = arena_mark(arena);
    ColumnWriter *writers = ARENA_ARRAY(arena, ColumnWriter, description->count);

    for (uint32_t c = 0; c < description->count; c++)
        writers[c] = (ColumnWriter){batch->columns[c], description->columns[c].type,
                                    wire_format(wire->formats, wire->format_count, c)};
    FOR_SELECTED (batch->selection, row) {
        CHECK_INTERRUPTS(); /* a row can be of a gigabyte */
        message_begin(out, 'D');
        size_t start = out->length_at;
        message_put_int16(out, (uint16_t)description->count);
        for (uint32_t c = 0; c < description->count; c++) {
            const size_t before = out->buffer.length;
            if (!put_value(out, &writers[c], row) || !row_fits(out, start, before)) {
                out->length_at = start;
                message_cancel(out);
                return false;
            }
        }
        out->length_at = start;
        TRY(put_row_end(wire, description));
    }
    wire->row_count += batch->selection.count;
    arena_rewind(arena, mark);
    return session_flush_if_full(wire->session);
}

static bool wire_row(RowSink *sink, const RowDescription *description, const Value *values,
                     const bool *nulls)
{
    WireSink *wire = (WireSink *)sink;
    MessageOut *out = &wire->session->connection.out;

    message_begin(out, 'D');
    const size_t start = out->length_at;
    message_put_int16(out, (uint16_t)description->count);
    for (uint32_t c = 0; c < description->count; c++) {
        const size_t before = out->buffer.length;
        const uint16_t format = wire_format(wire->formats, wire->format_count, c);
        if (!put_field(out, description->columns[c].type, format, &values[c], nulls[c]) ||
            !row_fits(out, start, before)) {
            out->length_at = start;
            message_cancel(out);
            return false;
        }
    }
    out->length_at = start;
    TRY(put_row_end(wire, description));
    wire->row_count++;
    return session_flush_if_full(wire->session);
}

void wire_sink_init(WireSink *wire, Session *session, bool tells_description,
                    const uint16_t *formats, uint32_t format_count)
{
    *wire = (WireSink){
        .sink = {.describe = wire_describe, .rows = wire_rows, .row = wire_row},
        .session = session,
        .tells_description = tells_description,
        .formats = formats,
        .format_count = format_count,
    };
}
