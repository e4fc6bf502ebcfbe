#include "types/record.h"

#include <ctype.h>

#include "types/array.h"
#include "types/types_internal.h"

#define DEPTH_MASK 0x7fffu

static void fields_append(const Oid *field_types, const Value *values, const bool *nulls,
                          uint32_t count, StrBuf *to)
{
    for (uint32_t i = 0; i < count; i++) {
        PhysType phys = type_phys(field_types[i]);
        uint32_t length = nulls[i]           ? RECORD_NULL
                          : phys == PHYS_VAR ? values[i].var.length
                                             : (uint32_t)phys_width(phys);
        strbuf_append_bytes(to, &field_types[i], 4);
        strbuf_append_bytes(to, &length, 4);
        if (!nulls[i])
            strbuf_append_bytes(
                to, phys == PHYS_VAR ? values[i].var.data : (const char *)&values[i], length);
    }
}

static uint32_t read_u32(const char *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof(value));
    return value;
}

static uint32_t record_depth(const Value *record)
{
    return record->var.length < 8 ? 0 : read_u32(record->var.data + 4) >> 16 & DEPTH_MASK;
}

/* Records may lie in a field as they are or as elements of an array. */
static uint32_t field_depth(Oid type, const Value *value)
{
    ArrayView view;
    uint32_t depth = 0;
    if (type == TYPE_RECORD)
        return record_depth(value);
    if (type != TYPE_RECORD_ARRAY || !array_open(value, &view))
        return 0;
    for (int i = 0; i < view.count; i++) {
        Value element;
        bool is_null;
        array_element(&view, i, &element, &is_null);
        if (!is_null)
            depth = MAX(depth, record_depth(&element));
    }
    return depth;
}

static Value make(Arena *arena, Oid type, const Oid *field_types, const Value *values,
                  const bool *nulls, const Str *names, uint32_t count)
{
    StrBuf buf = strbuf_in(arena);
    uint32_t depth = 0;
    for (uint32_t i = 0; i < count; i++)
        depth = nulls[i] ? depth : MAX(depth, field_depth(field_types[i], &values[i]));
    const uint32_t head = count | MIN(depth + 1, DEPTH_MASK) << 16 | (names ? RECORD_NAMED : 0);
    strbuf_append_bytes(&buf, &type, 4);
    strbuf_append_bytes(&buf, &head, 4);
    fields_append(field_types, values, nulls, count, &buf);
    for (uint32_t i = 0; names && i < count; i++) {
        const uint32_t length = (uint32_t)names[i].length;
        strbuf_append_bytes(&buf, &length, 4);
        strbuf_append(&buf, names[i]);
    }
    return (Value){.var = var_from_str(strbuf_view(&buf))};
}

Value record_make(Arena *arena, Oid type, const Oid *field_types, const Value *values,
                  const bool *nulls, uint32_t count)
{
    return make(arena, type, field_types, values, nulls, NULL, count);
}

Value record_make_named(Arena *arena, const Oid *field_types, const Value *values,
                        const bool *nulls, const Str *names, uint32_t count)
{
    return make(arena, TYPE_RECORD, field_types, values, nulls, names, count);
}

bool record_depth_check(const Value *record)
{
    if (record_depth(record) > RECORD_DEPTH_MAX)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    return true;
}

static bool record_corrupt(void)
{
    FAIL(ERR_DATA_CORRUPTED, .message = STR("malformed row value"));
}

bool record_count(const Value *record, uint32_t *ret_count)
{
    if (record->var.length < 8)
        return record_corrupt();
    *ret_count = read_u32(record->var.data + 4) & 0xffff;
    return true;
}

bool record_field(const Value *record, uint32_t index, Value *ret, bool *ret_null, Oid *ret_type)
{
    uint32_t count;
    TRY(record_count(record, &count));
    *ret_null = true;
    *ret_type = TYPE_TEXT;
    if (index >= count)
        return true;
    const char *at = record->var.data + 8, *end = record->var.data + record->var.length;
    for (uint32_t i = 0;; i++) {
        if (end - at < 8)
            return record_corrupt();
        Oid type = read_u32(at);
        uint32_t length = read_u32(at + 4);
        at += 8;
        size_t size = length == RECORD_NULL ? 0 : length;
        if ((size_t)(end - at) < size)
            return record_corrupt();
        if (i < index) {
            at += size;
            continue;
        }
        *ret_type = type;
        *ret_null = length == RECORD_NULL;
        if (*ret_null)
            return true;
        PhysType phys = type_phys(type);
        memset(ret, 0, sizeof(*ret));
        if (phys == PHYS_VAR)
            ret->var = var_make(at, size);
        else if (size == phys_width(phys))
            memcpy(ret, at, size);
        else
            return record_corrupt();
        return true;
    }
}

static void field_quote(Str text, StrBuf *out)
{
    bool quote = text.length == 0;
    for (size_t i = 0; i < text.length && !quote; i++) {
        char c = text.data[i];
        quote = c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || isspace((byte)c);
    }
    if (!quote) {
        strbuf_append(out, text);
        return;
    }
    strbuf_append_char(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            strbuf_append_char(out, text.data[i]);
        strbuf_append_char(out, text.data[i]);
    }
    strbuf_append_char(out, '"');
}

/* Each level of records doubles the quotes of those within, so depth alone bounds nothing. */
static bool text_fits(const StrBuf *text)
{
    if (text->length > VALUE_SIZE_MAX)
        FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("out of memory"),
             .detail = fmt("Cannot enlarge string buffer containing %d bytes by 1 more bytes.",
                           VALUE_SIZE_MAX - 1));
    return true;
}

bool record_output(const Value *record, StrBuf *out)
{
    uint32_t count;
    TRY(record_count(record, &count));
    strbuf_append_char(out, '(');
    for (uint32_t i = 0; i < count; i++) {
        Value field;
        bool is_null;
        Oid type;
        if (i > 0)
            strbuf_append_char(out, ',');
        TRY(record_field(record, i, &field, &is_null, &type));
        if (is_null)
            continue;
        StrBuf text = strbuf_in(out->arena);
        TRY(type_output(type, &field, &text));
        field_quote(strbuf_view(&text), out);
        if (!out->arena)
            strbuf_deinit(&text);
        TRY(text_fits(out));
    }
    strbuf_append_char(out, ')');
    return true;
}

/* The names behind the fields; false: malformed. */
static bool names_read(const Value *record, RowFields *row)
{
    const char *at = record->var.data + 8, *end = record->var.data + record->var.length;
    for (uint32_t i = 0; i < row->count; i++) {
        if (end - at < 8)
            return false;
        const uint32_t length = read_u32(at + 4);
        at += 8 + (length == RECORD_NULL ? 0 : (size_t)length);
    }
    for (uint32_t i = 0; i < row->count; i++) {
        if (end - at < 4 || (size_t)(end - at - 4) < read_u32(at))
            return false;
        row->names[i] = str_make(at + 4, read_u32(at));
        at += 4 + row->names[i].length;
    }
    return true;
}

bool record_fields(Arena *arena, const Value *record, RowFields *ret)
{
    uint32_t count;
    TRY(record_count(record, &count));
    *ret = (RowFields){.count = count,
                       .names = ARENA_ARRAY(arena, Str, count + 1),
                       .types = ARENA_ARRAY(arena, Oid, count + 1),
                       .values = ARENA_ARRAY(arena, Value, count + 1),
                       .nulls = ARENA_ARRAY(arena, bool, count + 1)};
    for (uint32_t i = 0; i < count; i++)
        TRY(record_field(record, i, &ret->values[i], &ret->nulls[i], &ret->types[i]));
    if (read_u32(record->var.data + 4) & RECORD_NAMED)
        return names_read(record, ret) || record_corrupt();
    for (uint32_t i = 0; i < count; i++)
        ret->names[i] = str_format(arena, "f%u", i + 1);
    return true;
}

Oid record_type(const Value *record)
{
    return read_u32(record->var.data);
}
