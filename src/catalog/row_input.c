/* Rows of tables' types from text, "(1,\"a b\",)", and from their binary form. */
#include "base/error.h"
#include "base/scheduler.h"
#include "catalog/hooks.h"
#include "catalog/lookup.h"
#include "catalog/relation.h"
#include "types/record.h"

#define STACK_RESERVE (16 * 1024)

typedef struct RowReader {
    const TypeIo *io;
    Str text;
    size_t at;
    const RelationDesc *relation;
    uint32_t count; /* fields there are so far */
    Oid *types;
    Value *values;
    bool *nulls;
} RowReader;

static bool malformed(const RowReader *r, Str detail)
{
    FAIL(ERR_INVALID_TEXT_REPRESENTATION,
         .message = fmt("malformed record literal: \"%.*s\"", STR_ARGS(r->text)), .detail = detail);
}

static bool reader_open(RowReader *r, const TypeIo *io, Str text)
{
    CatalogSession *session = catalog_session_current();
    const TypeDesc *type = session ? type_find(session, io->type->oid) : NULL;
    if (task_stack_left() < STACK_RESERVE)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    if (!type || !type->relation)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("type %u is no row type", io->type->oid));
    *r = (RowReader){.io = io, .text = text, .relation = relation_get(session, type->relation)};
    TRY(r->relation);
    r->types = ARENA_ARRAY(io->arena, Oid, r->relation->column_count + 1);
    r->values = ARENA_ARRAY(io->arena, Value, r->relation->column_count + 1);
    r->nulls = ARENA_ARRAY(io->arena, bool, r->relation->column_count + 1);
    return true;
}

static bool give_row(const RowReader *r, Value *ret)
{
    *ret = record_make(r->io->arena, r->io->type->oid, r->types, r->values, r->nulls, r->count);
    return record_depth_check(ret);
}

/* ---- text ---- */

static char peek(const RowReader *r)
{
    return r->at < r->text.length ? r->text.data[r->at] : 0;
}

static bool is_at(const RowReader *r, char c)
{
    return r->at < r->text.length && r->text.data[r->at] == c;
}

static void skip_blanks(RowReader *r)
{
    while (r->at < r->text.length && (peek(r) == ' ' || (peek(r) >= '\t' && peek(r) <= '\r')))
        r->at++;
}

/* Up to a comma or parenthesis outside of quotes. */
static bool field_read(RowReader *r, Str *ret)
{
    StrBuf buf = strbuf_in(r->io->arena);
    bool in_quotes = false;
    while (in_quotes || !(is_at(r, ',') || is_at(r, ')'))) {
        if (r->at >= r->text.length)
            return malformed(r, STR("Unexpected end of input."));
        const char c = r->text.data[r->at++];
        if (c == '\\') {
            if (r->at >= r->text.length)
                return malformed(r, STR("Unexpected end of input."));
            strbuf_append_char(&buf, r->text.data[r->at++]);
        } else if (c != '"') {
            strbuf_append_char(&buf, c);
        } else if (in_quotes && is_at(r, '"')) {
            strbuf_append_char(&buf, '"');
            r->at++;
        } else {
            in_quotes = !in_quotes;
        }
    }
    *ret = strbuf_view(&buf);
    return true;
}

static bool column_read(RowReader *r, const ColumnDesc *column)
{
    Str text;
    if (r->count > 0) {
        if (!is_at(r, ','))
            return malformed(r, STR("Too few columns."));
        r->at++;
    }
    r->types[r->count] = column->type;
    r->nulls[r->count] = is_at(r, ',') || is_at(r, ')');
    if (!r->nulls[r->count]) {
        TRY(field_read(r, &text));
        TRY(type_input(r->io->arena, column->type, column->typmod, text, &r->values[r->count]));
    }
    r->count++;
    return true;
}

bool row_type_input(const TypeIo *io, Str text, Value *ret)
{
    RowReader r;
    TRY(reader_open(&r, io, text));
    skip_blanks(&r);
    if (!is_at(&r, '('))
        return malformed(&r, STR("Missing left parenthesis."));
    r.at++;
    for (int i = 0; i < r.relation->column_count; i++)
        if (!r.relation->columns[i].dropped)
            TRY(column_read(&r, &r.relation->columns[i]));
    if (!is_at(&r, ')'))
        return malformed(&r, STR("Too many columns."));
    r.at++;
    skip_blanks(&r);
    if (r.at < text.length)
        return malformed(&r, STR("Junk after right parenthesis."));
    return give_row(&r, ret);
}

/* ---- binary ---- */

static bool int32_read(RowReader *r, int32_t *ret)
{
    if (r->text.length - r->at < 4)
        FAIL(ERR_PROTOCOL_VIOLATION, .message = STR("insufficient data left in message"));
    const byte *p = (const byte *)r->text.data + r->at;
    *ret = (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
    r->at += 4;
    return true;
}

static bool column_receive(RowReader *r, const ColumnDesc *column)
{
    int32_t type, length;
    TRY(int32_read(r, &type));
    if ((Oid)type != column->type)
        FAIL(ERR_DATATYPE_MISMATCH,
             .message =
                 fmt("binary data has type %u (%s) instead of expected %u (%s) in record "
                     "column %u",
                     (Oid)type, builtin_type((Oid)type) ? builtin_type((Oid)type)->sql_name : "???",
                     column->type,
                     builtin_type(column->type) ? builtin_type(column->type)->sql_name : "???",
                     r->count + 1));
    TRY(int32_read(r, &length));
    if (length < -1 || (length > 0 && (size_t)length > r->text.length - r->at))
        FAIL(ERR_INVALID_BINARY_REPRESENTATION,
             .message = STR("insufficient data left in message"));
    r->types[r->count] = column->type;
    r->nulls[r->count] = length < 0;
    if (length >= 0) {
        const Str bytes = str_make(r->text.data + r->at, (size_t)length);
        TRY(type_receive(r->io->arena, column->type, column->typmod, bytes, &r->values[r->count]));
        r->at += (size_t)length;
    }
    r->count++;
    return true;
}

bool row_type_receive(const TypeIo *io, Str bytes, Value *ret)
{
    RowReader r;
    int32_t count, live = 0;
    TRY(reader_open(&r, io, bytes));
    TRY(int32_read(&r, &count));
    for (int i = 0; i < r.relation->column_count; i++)
        live += !r.relation->columns[i].dropped;
    if (count != live)
        FAIL(ERR_DATATYPE_MISMATCH,
             .message = fmt("wrong number of columns: %d, expected %d", count, live));
    for (int i = 0; i < r.relation->column_count; i++)
        if (!r.relation->columns[i].dropped)
            TRY(column_receive(&r, &r.relation->columns[i]));
    return give_row(&r, ret);
}
