/*
 * What storage keeps of rows: layouts, row images, keys, and the operations of log records,
 * each decoded from any bytes. What decodes encodes to the same bytes.
 */
#include "fuzz.h"
#include "storage/row.h"
#include "txn/record.h"
#include "types/key.h"

static const LayoutColumn columns[] = {
    {PHYS_INT32, false, {0}},   {PHYS_VAR, false, {0}},     {PHYS_BOOL, false, {0}},
    {PHYS_NONE, false, {0}},    {PHYS_INT64, false, {0}},   {PHYS_VAR, true, {.var = {0, "", ""}}},
    {PHYS_FIXED16, false, {0}}, {PHYS_FLOAT64, false, {0}},
};

static void read_image(Arena *arena, Str bytes)
{
    const Layout *layout = layout_new(arena, 1, columns, ARRAY_LENGTH(columns));
    const Layout *narrow = layout_new(arena, 1, columns, 3);
    Value values[ARRAY_LENGTH(columns)], value;
    bool nulls[ARRAY_LENGTH(columns)], is_null;

    if (row_image_decode(layout, layout, bytes, NULL, ARRAY_LENGTH(columns), values, nulls)) {
        StrBuf again = strbuf_in(arena);
        const size_t size = row_image_size(layout, values, nulls);
        row_image_encode(layout, values, nulls, (byte *)strbuf_reserve(&again, size));
    }
    error_clear();
    for (uint32_t i = 0; i < ARRAY_LENGTH(columns); i++) {
        if (!row_image_column(narrow, layout, bytes, i, &value, &is_null))
            error_clear();
    }
    if (!row_image_decode(narrow, layout, bytes, NULL, ARRAY_LENGTH(columns), values, nulls))
        error_clear();
}

static void read_layout(Arena *arena, Str bytes)
{
    const Layout *layout = layout_decode(arena, bytes);

    if (!layout)
        return;
    const Layout *again = layout_decode(arena, layout_encode(arena, layout));
    fuzz_require(again && layout_equal(layout, again) && again->version == layout->version);
}

static void read_record(Arena *arena, Str bytes)
{
    RecordReader reader, again = {.rest = STR("")};
    RecordList list = {0};
    OpRead outcome;
    Op op;

    if (!record_open(&reader, bytes))
        return;
    while ((outcome = record_next(&reader, &op)) == OP_READ) {
        StrBuf out = strbuf_in(arena);
        Op same;
        record_put_op(&out, &list, &op);
        again.rest = strbuf_view(&out);
        fuzz_require(record_next(&again, &same) == OP_READ && same.code == op.code &&
                     same.row_id == op.row_id && str_equal(same.key, op.key) &&
                     str_equal(same.value, op.value) && again.rest.length == 0);
    }
    fuzz_require((outcome == OP_READ_FAILED) == error_is_set());
}

/* A value that a key gives back makes the same key, where keys are lossless. */
static void read_key(Arena *arena, Input *input)
{
    static const Oid types[] = {
        TYPE_BOOL,   TYPE_INT2,   TYPE_INT4, TYPE_INT8,        TYPE_TEXT, TYPE_NUMERIC,
        TYPE_FLOAT8, TYPE_BYTEA,  TYPE_UUID, TYPE_TIMESTAMPTZ, TYPE_DATE, TYPE_INTERVAL,
        TYPE_TIMETZ, TYPE_BPCHAR, TYPE_NAME, TYPE_INT4_ARRAY,  TYPE_CHAR, TYPE_TEXT_ARRAY};
    const uint8_t options = input_byte(input);
    const KeyColumn column = {.type = types[input_byte(input) % ARRAY_LENGTH(types)],
                              .descending = options & 1,
                              .nulls_first = options & 2};
    Str skipped = input->rest, taken = input->rest;
    const bool is_skipped = key_skip(&column, &skipped);
    Value value;
    bool is_null;

    error_clear();
    if (!key_is_lossless(column.type) || !key_take(arena, &column, &taken, &value, &is_null))
        return;
    fuzz_require(is_skipped && taken.data == skipped.data);
    StrBuf again = strbuf_in(arena);
    fuzz_require(key_append(&again, &column, is_null ? NULL : &value, is_null));
}

FUZZ_TARGET(data, size)
{
    Input input = input_of(data, size);
    const uint8_t kind = input_byte(&input) % 5;
    Arena *arena = arena_new("fuzz");

    switch (kind) {
    case 0:
    case 2:
        read_image(arena, input.rest);
        break;
    case 1:
        read_layout(arena, input.rest);
        break;
    case 3:
        read_record(arena, input.rest);
        break;
    default:
        read_key(arena, &input);
    }
    error_clear();
    arena_free(arena);
    return 0;
}
