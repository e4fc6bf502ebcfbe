#include "executor/packed_row.h"

void packed_layout_init(PackedLayout *layout, Arena *arena, const PhysType *types, uint32_t count)
{
    layout->count = count;
    layout->types = arena_alloc(arena, (count + 1) * sizeof(PhysType));
    layout->offsets = arena_alloc(arena, (count + 1) * sizeof(uint32_t));
    uint32_t offset = (count + 7) / 8;
    for (uint32_t c = 0; c < count; c++) {
        layout->types[c] = types[c];
        layout->offsets[c] = offset;
        offset +=
            types[c] == PHYS_VAR ? (uint32_t)sizeof(uint32_t) : (uint32_t)phys_width(types[c]);
    }
    layout->fixed = offset;
}

void packed_sizes(const PackedLayout *layout, Vector *const *vectors, Selection selection,
                  uint32_t *sizes)
{
    for (uint32_t i = 0; i < selection.count; i++)
        sizes[i] += layout->fixed;
    for (uint32_t c = 0; c < layout->count; c++) {
        const Vector *v = vectors[c];
        if (layout->types[c] != PHYS_VAR)
            continue;
        for (uint32_t i = 0; i < selection.count; i++) {
            const uint32_t row = selection_row(selection, i);
            if (!vector_is_null(v, row))
                sizes[i] += VECTOR_VALUES(v, VarRef)[vector_index(v, row)].length;
        }
    }
}

static bool is_null_at(const char *row, uint32_t column)
{
    return ((uint8_t)row[column / 8] >> column % 8) & 1;
}

#define PUT(width)                                                                                 \
    do {                                                                                           \
        for (uint32_t i = from; i < to; i++) {                                                     \
            const uint32_t source = v->constant ? 0 : selection_row(selection, i);                 \
            memcpy(at[i - from] + offset, values + (size_t)source * (width), width);               \
        }                                                                                          \
    } while (0)

static void put_fixed(const Vector *v, size_t width, Selection selection, uint32_t from,
                      uint32_t to, uint32_t offset, char *const *at)
{
    const byte *values = v->values;

    switch (width) {
    case 1:
        PUT(1);
        return;
    case 2:
        PUT(2);
        return;
    case 4:
        PUT(4);
        return;
    case 8:
        PUT(8);
        return;
    case 16:
        PUT(16);
        return;
    default: /* a column of no type */
        return;
    }
}

/* ends: of each row's variable data so far. */
static void put_var(const Vector *v, Selection selection, uint32_t from, uint32_t to,
                    uint32_t offset, uint32_t *ends, char *const *at)
{
    for (uint32_t i = from; i < to; i++) {
        const uint32_t row = selection_row(selection, i);
        uint32_t *end = &ends[i - from];
        if (!vector_is_null(v, row)) {
            const VarRef *ref = &VECTOR_VALUES(v, VarRef)[vector_index(v, row)];
            if (ref->length > 0)
                memcpy(at[i - from] + *end, ref->data, ref->length);
            *end += ref->length;
        }
        memcpy(at[i - from] + offset, end, sizeof(*end));
    }
}

void packed_put(const PackedLayout *layout, Vector *const *vectors, Selection selection,
                uint32_t from, uint32_t to, char *const *at)
{
    uint32_t ends[VECTOR_SIZE];
    const size_t null_bytes = (layout->count + 7) / 8;

    assert(from <= to && to - from <= VECTOR_SIZE);
    for (uint32_t i = 0; i < to - from; i++) {
        memset(at[i], 0, null_bytes);
        ends[i] = layout->fixed;
    }
    for (uint32_t c = 0; c < layout->count; c++) {
        const Vector *v = vectors[c];
        if (layout->types[c] == PHYS_VAR)
            put_var(v, selection, from, to, layout->offsets[c], ends, at);
        else
            put_fixed(v, phys_width(layout->types[c]), selection, from, to, layout->offsets[c], at);
        for (uint32_t i = from; v->has_nulls && i < to; i++)
            if (vector_is_null(v, selection_row(selection, i)))
                at[i - from][c / 8] = (char)(at[i - from][c / 8] | 1 << c % 8);
    }
}

/* Where the variable bytes of a column begin: where those before it end. */
static uint32_t var_start(const PackedLayout *layout, const char *row, uint32_t column)
{
    uint32_t start = layout->fixed;
    while (column-- > 0) {
        if (layout->types[column] != PHYS_VAR)
            continue;
        memcpy(&start, row + layout->offsets[column], sizeof(start));
        break;
    }
    return start;
}

static VarRef var_at(const PackedLayout *layout, const char *row, uint32_t column)
{
    const uint32_t start = var_start(layout, row, column);
    uint32_t end;
    memcpy(&end, row + layout->offsets[column], sizeof(end));
    return var_make(row + start, end - start);
}

#define GATHER(width)                                                                              \
    do {                                                                                           \
        for (uint32_t i = 0; i < count; i++)                                                       \
            memcpy(values + (size_t)i * (width), rows[i] + offset, width);                         \
    } while (0)

static void gather_column(const PackedLayout *layout, uint32_t c, const char *const *rows,
                          uint32_t count, Vector *v)
{
    const uint32_t offset = layout->offsets[c];
    byte *values = v->values;

    if (layout->types[c] == PHYS_VAR) {
        for (uint32_t i = 0; i < count; i++)
            VECTOR_VALUES(v, VarRef)[i] = var_at(layout, rows[i], c);
        return;
    }
    switch (phys_width(layout->types[c])) {
    case 1:
        GATHER(1);
        return;
    case 2:
        GATHER(2);
        return;
    case 4:
        GATHER(4);
        return;
    case 8:
        GATHER(8);
        return;
    case 16:
        GATHER(16);
        return;
    default:
        return;
    }
}

void packed_gather(const PackedLayout *layout, const char *const *rows, uint32_t count,
                   Vector *const *vectors)
{
    for (uint32_t c = 0; c < layout->count; c++) {
        Vector *v = vectors[c];
        uint8_t any = 0;
        for (uint32_t i = 0; i < count; i++)
            any |= v->nulls[i] = is_null_at(rows[i], c);
        v->has_nulls = any;
        gather_column(layout, c, rows, count, v);
    }
}

void packed_value(const PackedLayout *layout, const char *row, uint32_t column, Value *ret_value,
                  bool *ret_null)
{
    memset(ret_value, 0, sizeof(*ret_value));
    *ret_null = is_null_at(row, column);
    if (*ret_null)
        return;
    if (layout->types[column] == PHYS_VAR)
        ret_value->var = var_at(layout, row, column);
    else
        memcpy(ret_value, row + layout->offsets[column], phys_width(layout->types[column]));
}
