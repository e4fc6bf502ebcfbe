#include "server/client_text.h"

#include "base/pace.h"
#include "server/portal.h"
#include "types/encoding.h"
#include "types/encoding_convert.h"
#include "types/type.h"

void client_text_apply(Session *session)
{
    const int encoding = encoding_find(session->settings.current.client_encoding);

    session->client_encoding = encoding == ENCODING_UTF8 ? 0 : MAX(encoding, 0);
    static_assert(ENCODING_SQL_ASCII == 0, "it is not converted either");
}

bool client_text_take(Session *session, Arena *arena, Str *text)
{
    StrBuf out = strbuf_in(arena);
    size_t done;

    if (likely(session->client_encoding == 0))
        return utf8_check(*text);
    if (encoding_passes(*text))
        return true;
    TRY(encoding_decode(session->client_encoding, *text, &out, &done));
    *text = strbuf_view(&out);
    return true;
}

bool client_binary_take(Session *session, Arena *arena, Oid type, Str *bytes)
{
    StrBuf out = strbuf_in(arena);

    if (likely(session->client_encoding == 0))
        return true;
    TRY(encoding_convert_binary(session->client_encoding, ENCODING_TO_UTF8, type, *bytes, &out));
    *bytes = strbuf_view(&out);
    return true;
}

bool client_text_give(Session *session, Arena *arena, Str *text)
{
    StrBuf out = strbuf_in(arena);

    if (likely(session->client_encoding == 0) || str_is_none(*text) || encoding_passes(*text))
        return true;
    TRY(encoding_encode(session->client_encoding, *text, &out));
    *text = strbuf_view(&out);
    return true;
}

bool client_fields_give(Session *session, Arena *arena, ErrorFields *fields)
{
    Str *texts[] = {&fields->message,        &fields->detail,         &fields->hint,
                    &fields->context,        &fields->internal_query, &fields->schema_name,
                    &fields->table_name,     &fields->column_name,    &fields->type_name,
                    &fields->constraint_name};

    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        TRY(client_text_give(session, arena, texts[i]));
    return true;
}

/* -- Rows ------------------------------------------------------------------------------------- */

static uint32_t get32(const char *from)
{
    uint32_t big;

    memcpy(&big, from, sizeof(big));
    return __builtin_bswap32(big);
}

static bool put_field(Session *session, Oid type, uint16_t format, Str field)
{
    StrBuf *out = &session->connection.out.buffer;

    if (format == 1)
        return encoding_convert_binary(session->client_encoding, ENCODING_FROM_UTF8, type, field,
                                       out);
    if (!encoding_passes(field))
        return encoding_encode(session->client_encoding, field, out);
    return pace_append(out, field);
}

/* The row without its fields' conversion, field by field, behind what `out` has before it. */
static bool put_fields(Session *session, const RowDescription *description, const uint16_t *formats,
                       uint32_t format_count, Str row)
{
    MessageOut *out = &session->connection.out;
    size_t at = 0;

    for (uint32_t c = 0; c < description->count; c++) {
        const uint32_t length = get32(row.data + at);
        const uint16_t format = wire_format(formats, format_count, c);
        const size_t length_at = out->buffer.length;
        at += sizeof(length);
        message_put_int32(out, length);
        if (length == UINT32_MAX)
            continue;
        TRY(put_field(session, description->columns[c].type, format, str_slice(row, at, length)));
        at += length;
        const uint32_t big = __builtin_bswap32((uint32_t)(out->buffer.length - length_at - 4));
        memcpy(out->buffer.data + length_at, &big, sizeof(big));
    }
    return true;
}

bool client_row_give(Session *session, const RowDescription *description, const uint16_t *formats,
                     uint32_t format_count, size_t start)
{
    StrBuf *out = &session->connection.out.buffer;
    Arena *arena = session->statement_arena;

    assert(session->client_encoding != 0);
    bool passes = true;
    for (size_t i = start; i < out->length && passes; i++) {
        CHECK_INTERRUPTS_EACH(i);
        passes = (byte)out->data[i] < 0x80;
    }
    if (passes)
        return true; /* lengths are small, or nulls would have told */
    const ArenaMark mark = arena_mark(arena);
    Str row;
    TRY(pace_str_copy(arena, str_make(out->data + start, out->length - start), &row));
    strbuf_truncate(out, start);
    const bool ok = put_fields(session, description, formats, format_count, row);
    arena_rewind(arena, mark);
    return ok;
}
