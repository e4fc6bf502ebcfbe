#include "types/key_batch.h"

#include "types/key_internal.h"

static uint8_t fixed_width(KeyForm form)
{
    switch (form) {
    case FORM_BOOL:
    case FORM_CHAR:
        return 1;
    case FORM_INT16:
        return 2;
    case FORM_INT32:
    case FORM_OID:
        return 4;
    case FORM_INT64:
    case FORM_UINT64:
    case FORM_FLOAT32:
    case FORM_FLOAT64:
        return 8;
    case FORM_UUID:
        return 16;
    default:
        return 0;
    }
}

void key_batch_init(KeyBatch *keys, Arena *arena, const KeyColumn *columns, uint32_t count)
{
    *keys = (KeyBatch){.count = count};
    keys->columns = ARENA_ARRAY(arena, KeyBatchColumn, count + 1);
    keys->sizes = ARENA_ARRAY(arena, uint32_t, VECTOR_SIZE);
    for (uint32_t c = 0; c < count; c++) {
        const KeyForm form = key_form(builtin_type(columns[c].type));
        keys->columns[c] = (KeyBatchColumn){.column = columns[c],
                                            .form = (uint8_t)form,
                                            .width = fixed_width(form),
                                            .bytes = strbuf_in(arena)};
        if (!keys->columns[c].width)
            keys->columns[c].lengths = ARENA_ARRAY(arena, uint32_t, VECTOR_SIZE);
    }
}

/* ---- sizes ---- */

static void sizes_fixed(KeyBatch *keys, const KeyBatchColumn *column, const Vector *v)
{
    uint32_t *sizes = keys->sizes;
    const uint32_t size = column->width + 1u;

    if (!v->has_nulls) {
        for (uint32_t i = 0; i < keys->selection.count; i++)
            sizes[i] += size;
        return;
    }
    for (uint32_t i = 0; i < keys->selection.count; i++)
        sizes[i] += vector_is_null(v, selection_row(keys->selection, i)) ? 1 : size;
}

/* char(n) is compared without the blanks at its end. */
static uint32_t text_length(const KeyBatchColumn *column, const VarRef *text)
{
    uint32_t length = text->length;
    if (column->form == FORM_BPCHAR)
        while (length > 0 && text->data[length - 1] == ' ')
            length--;
    return length;
}

static void sizes_text(KeyBatch *keys, const KeyBatchColumn *column, const Vector *v)
{
    const VarRef *values = VECTOR_VALUES(v, VarRef);
    for (uint32_t i = 0; i < keys->selection.count; i++) {
        const uint32_t row = selection_row(keys->selection, i);
        column->lengths[i] =
            vector_is_null(v, row) ? 1 : text_length(column, &values[vector_index(v, row)]) + 2;
        keys->sizes[i] += column->lengths[i];
    }
}

static bool sizes_encoded(KeyBatch *keys, KeyBatchColumn *column, const Vector *v)
{
    strbuf_truncate(&column->bytes, 0);
    column->put = 0;
    for (uint32_t i = 0; i < keys->selection.count; i++) {
        Value value;
        bool is_null;
        const size_t start = column->bytes.length;
        vector_get(v, selection_row(keys->selection, i), &value, &is_null);
        TRY(key_append(&column->bytes, &column->column, &value, is_null));
        column->lengths[i] = (uint32_t)(column->bytes.length - start);
        keys->sizes[i] += column->lengths[i];
    }
    return true;
}

bool key_batch_begin(KeyBatch *keys, Vector *const *vectors, Selection selection)
{
    keys->vectors = vectors;
    keys->selection = selection;
    memset(keys->sizes, 0, selection.count * sizeof(uint32_t));
    for (uint32_t c = 0; c < keys->count; c++) {
        KeyBatchColumn *column = &keys->columns[c];
        if (column->width)
            sizes_fixed(keys, column, vectors[c]);
        else if (column->form == FORM_TEXT || column->form == FORM_BPCHAR)
            sizes_text(keys, column, vectors[c]);
        else
            TRY(sizes_encoded(keys, column, vectors[c]));
    }
    return true;
}

/* ---- bytes ---- */

/* Each row's null mark, and behind it the value that `expression` makes of x. */
#define PUT_FIXED(ctype, word, expression)                                                         \
    do {                                                                                           \
        const ctype *values = VECTOR_VALUES(v, ctype);                                             \
        for (uint32_t i = from; i < to; i++, at++) {                                               \
            const uint32_t row = selection_row(keys->selection, i);                                \
            if (vector_is_null(v, row)) {                                                          \
                *(*at)++ = null_mark;                                                              \
                continue;                                                                          \
            }                                                                                      \
            const ctype x = values[vector_index(v, row)];                                          \
            const word bits = (word)((expression) ^ (word)flip);                                   \
            **at = MARK_VALUE;                                                                     \
            memcpy(*at + 1, &bits, sizeof(bits));                                                  \
            *at += 1 + sizeof(bits);                                                               \
        }                                                                                          \
    } while (0)

#define SIGN64 (UINT64_C(1) << 63)

static void put_fixed(const KeyBatch *keys, const KeyBatchColumn *column, const Vector *v,
                      uint32_t from, uint32_t to, char **at)
{
    const char null_mark = column->column.nulls_first ? MARK_NULL_FIRST : MARK_NULL_LAST;
    const uint64_t flip = column->column.descending ? UINT64_MAX : 0;

    switch ((KeyForm)column->form) {
    case FORM_BOOL:
    case FORM_CHAR:
        PUT_FIXED(uint8_t, uint8_t, x);
        return;
    case FORM_INT16:
        PUT_FIXED(uint16_t, uint16_t, __builtin_bswap16(x ^ 0x8000u));
        return;
    case FORM_INT32:
        PUT_FIXED(uint32_t, uint32_t, __builtin_bswap32(x ^ 0x80000000u));
        return;
    case FORM_OID:
        PUT_FIXED(uint32_t, uint32_t, __builtin_bswap32(x));
        return;
    case FORM_INT64:
        PUT_FIXED(uint64_t, uint64_t, __builtin_bswap64(x ^ SIGN64));
        return;
    case FORM_UINT64:
        PUT_FIXED(uint64_t, uint64_t, __builtin_bswap64(x));
        return;
    case FORM_FLOAT32:
        PUT_FIXED(float, uint64_t, __builtin_bswap64(key_double_bits((double)x)));
        return;
    case FORM_FLOAT64:
        PUT_FIXED(double, uint64_t, __builtin_bswap64(key_double_bits(x)));
        return;
    case FORM_UUID: {
        const uint128 wide_flip = flip ? ~(uint128)0 : 0;
        for (uint32_t i = from; i < to; i++, at++) {
            const uint32_t row = selection_row(keys->selection, i);
            uint128 bits;
            if (vector_is_null(v, row)) {
                *(*at)++ = null_mark;
                continue;
            }
            memcpy(&bits, (const byte *)v->values + 16 * (size_t)vector_index(v, row), 16);
            bits ^= wide_flip;
            **at = MARK_VALUE;
            memcpy(*at + 1, &bits, 16);
            *at += 17;
        }
        return;
    }
    default:
        assert(!"a form of fixed width");
    }
}

static void put_text(const KeyBatch *keys, const KeyBatchColumn *column, const Vector *v,
                     uint32_t from, uint32_t to, char **at)
{
    const VarRef *values = VECTOR_VALUES(v, VarRef);
    const bool descending = column->column.descending;

    for (uint32_t i = from; i < to; i++, at++) {
        const uint32_t row = selection_row(keys->selection, i);
        char *key = *at;
        *at += column->lengths[i];
        if (vector_is_null(v, row)) {
            *key = column->column.nulls_first ? MARK_NULL_FIRST : MARK_NULL_LAST;
            continue;
        }
        const uint32_t length = column->lengths[i] - 2;
        *key++ = MARK_VALUE;
        if (length > 0)
            memcpy(key, values[vector_index(v, row)].data, length);
        key[length] = 0;
        for (uint32_t b = 0; descending && b <= length; b++)
            key[b] = (char)~key[b];
    }
}

void key_batch_put(KeyBatch *keys, uint32_t from, uint32_t to, char **at)
{
    for (uint32_t c = 0; c < keys->count; c++) {
        KeyBatchColumn *column = &keys->columns[c];
        if (column->width) {
            put_fixed(keys, column, keys->vectors[c], from, to, at);
            continue;
        }
        if (column->form == FORM_TEXT || column->form == FORM_BPCHAR) {
            put_text(keys, column, keys->vectors[c], from, to, at);
            continue;
        }
        if (from == 0)
            column->put = 0;
        for (uint32_t i = from; i < to; i++) {
            memcpy(at[i - from], column->bytes.data + column->put, column->lengths[i]);
            at[i - from] += column->lengths[i];
            column->put += column->lengths[i];
        }
    }
}
