#include "executor/rows.h"

#include "base/element_copy.h"
#include "base/pace.h"

#define OFFSET_STEP 64

void row_layout_init(RowLayout *layout, Arena *arena, const PhysType *types, uint32_t count)
{
    layout->count = count;
    layout->types = arena_alloc(arena, (count + 1) * sizeof(PhysType));
    layout->offsets = arena_alloc(arena, (count + 1) * sizeof(uint32_t));
    layout->has_var = false;
    layout->nulls = sizeof(Row);
    uint32_t offset = ALIGN_UP((uint32_t)sizeof(Row) + count, 8u);
    /* Widest first would save padding; column order keeps the variable part simple to relocate. */
    for (uint32_t c = 0; c < count; c++) {
        uint32_t width = (uint32_t)phys_width(types[c]);
        offset = ALIGN_UP(offset, width > 8 ? 8u : width ? width : 1u);
        layout->types[c] = types[c];
        layout->offsets[c] = offset;
        layout->has_var |= types[c] == PHYS_VAR;
        offset += width;
    }
    layout->fixed = ALIGN_UP(offset, 8u);
}

/* Bytes of variable data that the row needs; short strings live in the block like long ones. */
static size_t row_var_size(const RowLayout *layout, Vector *const *vectors, uint32_t index)
{
    size_t size = 0;
    for (uint32_t c = 0; c < layout->count; c++)
        if (layout->types[c] == PHYS_VAR && !vector_is_null(vectors[c], index))
            size += VECTOR_VALUES(vectors[c], VarRef)[vector_index(vectors[c], index)].length;
    return size;
}

static Row *row_begin(const RowLayout *layout, Arena *arena, size_t var_size)
{
    size_t size = layout->fixed + var_size;
    Row *row = arena_alloc(arena, size);
    memset(row, 0, layout->fixed);
    row->size = (uint32_t)size;
    return row;
}

Row *row_make(const RowLayout *layout, Arena *arena, Vector *const *vectors, uint32_t index)
{
    size_t var_size = layout->has_var ? row_var_size(layout, vectors, index) : 0;
    Row *row = row_begin(layout, arena, var_size);
    byte *base = (byte *)row;
    char *var = (char *)base + layout->fixed;
    for (uint32_t c = 0; c < layout->count; c++) {
        const Vector *v = vectors[c];
        if (vector_is_null(v, index)) {
            base[layout->nulls + c] = 1;
            continue;
        }
        size_t width = phys_width(layout->types[c]);
        const byte *from = (const byte *)v->values + width * vector_index(v, index);
        byte *to = base + layout->offsets[c];
        element_copy(to, from, width);
        if (layout->types[c] == PHYS_VAR) {
            VarRef *ref = (VarRef *)(void *)to;
            if (ref->length)
                memcpy(var, ref->data, ref->length);
            ref->data = var;
            var += ref->length;
        }
    }
    return row;
}

void row_value(const RowLayout *layout, const Row *row, uint32_t column, Value *ret_value,
               bool *ret_null)
{
    *ret_null = row_is_null(layout, row, column);
    memset(ret_value, 0, sizeof(*ret_value));
    if (!*ret_null)
        element_copy(ret_value, row_field(layout, row, column), phys_width(layout->types[column]));
}

#define GATHER(ctype)                                                                              \
    do {                                                                                           \
        ctype *values = VECTOR_VALUES(v, ctype) + to;                                              \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            bool null = !rows[i] || ((const byte *)rows[i])[null_offset];                          \
            v->nulls[to + i] = null;                                                               \
            any |= null;                                                                           \
            if (!null)                                                                             \
                memcpy(&values[i], (const byte *)rows[i] + offset, sizeof(ctype));                 \
            else                                                                                   \
                memset(&values[i], 0, sizeof(ctype));                                              \
        }                                                                                          \
    } while (0)

static void column_gather(const RowLayout *layout, uint32_t column, Row *const *rows,
                          uint32_t count, Vector *v, uint32_t to)
{
    uint32_t offset = layout->offsets[column], null_offset = layout->nulls + column;
    bool any = false;
    /* What lies before `to` may have no null bytes written yet. */
    if (to > 0 && !v->has_nulls)
        memset(v->nulls, 0, to);
    switch (phys_width(layout->types[column])) {
    case 1:
        GATHER(uint8_t);
        break;
    case 2:
        GATHER(uint16_t);
        break;
    case 4:
        GATHER(uint32_t);
        break;
    case 8:
        GATHER(uint64_t);
        break;
    default:
        GATHER(Value);
        break;
    }
    v->has_nulls = any || (to > 0 && v->has_nulls);
}

void rows_gather(const RowLayout *layout, Row *const *rows, uint32_t count, uint32_t first_column,
                 uint32_t column_count, Vector **vectors, uint32_t to)
{
    for (uint32_t c = 0; c < column_count; c++)
        if (vectors[c])
            column_gather(layout, first_column + c, rows, count, vectors[c], to);
}

void row_relocate(const RowLayout *layout, Row *row)
{
    if (!layout->has_var)
        return;
    char *var = (char *)row + layout->fixed;
    for (uint32_t c = 0; c < layout->count; c++) {
        if (layout->types[c] != PHYS_VAR || row_is_null(layout, row, c))
            continue;
        VarRef *ref = (VarRef *)(void *)((byte *)row + layout->offsets[c]);
        ref->data = var;
        var += ref->length;
    }
}

bool row_write(SpillFile *file, const Row *row)
{
    TRY(spill_write(file, &row->size, sizeof(row->size)));
    return spill_write(file, row, row->size);
}

Row *row_read(const RowLayout *layout, SpillFile *file, Arena *arena)
{
    uint32_t size;
    TRY(spill_read(file, &size, sizeof(size)));
    Row *row = arena_alloc(arena, size);
    TRY(spill_read(file, row, size));
    row->next = NULL;
    row_relocate(layout, row);
    return row;
}

void row_store_init(RowStore *store, Arena *layout_arena, SpillSet *spills, const PhysType *types,
                    uint32_t count, size_t limit)
{
    *store = (RowStore){.spills = spills, .limit = limit};
    row_layout_init(&store->layout, layout_arena, types, count);
}

void row_store_clear(RowStore *store)
{
    spill_free(store->file);
    store->file = NULL;
    if (store->arena)
        pace_arena_reset(store->arena);
    store->rows = NULL;
    store->offsets = NULL;
    store->memory_count = store->capacity = store->count = 0;
    store->offset_count = store->offset_capacity = 0;
}

void row_store_deinit(RowStore *store)
{
    spill_free(store->file);
    store->file = NULL;
    pace_arena_free(store->arena);
    store->arena = NULL;
    store->rows = NULL;
    store->offsets = NULL;
    store->memory_count = store->capacity = store->count = 0;
    store->offset_count = store->offset_capacity = 0;
}

size_t row_store_memory(const RowStore *store)
{
    return store->arena ? arena_size(store->arena) : 0;
}

static bool row_store_spill(RowStore *store, Vector *const *vectors, uint32_t index)
{
    if (!store->file)
        TRY(store->file = spill_new(store->spills));
    ArenaMark mark = arena_mark(store->arena);
    uint64_t offset = spill_size(store->file);
    Row *row = row_make(&store->layout, store->arena, vectors, index);
    bool written = row_write(store->file, row);
    arena_rewind(store->arena, mark);
    TRY(written);
    if ((store->count - store->memory_count) % OFFSET_STEP == 0) {
        if (store->offset_count == store->offset_capacity) {
            uint64_t more = store->offset_capacity ? store->offset_capacity * 2 : 64;
            TRY(store->offsets =
                    pace_grow(store->arena, store->offsets,
                              store->offset_capacity * sizeof(uint64_t), more * sizeof(uint64_t)));
            store->offset_capacity = more;
        }
        store->offsets[store->offset_count++] = offset;
    }
    store->count++;
    return true;
}

bool row_store_add(RowStore *store, Vector *const *vectors, uint32_t index)
{
    if (!store->arena)
        store->arena = arena_new("row store");
    if (store->file || (store->memory_count > 0 && arena_size(store->arena) > store->limit))
        return row_store_spill(store, vectors, index);
    if (store->memory_count == store->capacity) {
        uint64_t more = store->capacity ? store->capacity * 2 : 64;
        TRY(store->rows = pace_grow(store->arena, store->rows, store->capacity * sizeof(Row *),
                                    more * sizeof(Row *)));
        store->capacity = more;
    }
    store->rows[store->memory_count++] = row_make(&store->layout, store->arena, vectors, index);
    store->count++;
    return true;
}

bool row_store_add_batch(RowStore *store, const Batch *batch)
{
    FOR_SELECTED (batch->selection, row) {
        CHECK_INTERRUPTS();
        TRY(row_store_add(store, batch->columns, row));
    }
    return true;
}

void row_reader_init(RowReader *reader, RowStore *store)
{
    *reader = (RowReader){.store = store};
}

void row_reader_deinit(RowReader *reader)
{
    arena_free(reader->arena);
    reader->arena = NULL;
}

/* Puts the file's position on row `wanted` (counted from the first row in the file). */
static bool reader_seek(RowReader *reader, uint64_t wanted)
{
    RowStore *store = reader->store;
    TRY(spill_begin_read(store->file, store->offsets[wanted / OFFSET_STEP]));
    for (uint64_t i = wanted / OFFSET_STEP * OFFSET_STEP; i < wanted; i++) {
        uint32_t size;
        CHECK_INTERRUPTS();
        TRY(spill_read(store->file, &size, sizeof(size)));
        TRY(spill_begin_read(store->file, spill_position(store->file) + size));
    }
    return true;
}

bool row_reader_next(RowReader *reader, Batch *batch, uint32_t limit)
{
    RowStore *store = reader->store;
    Row *rows[VECTOR_SIZE];
    uint32_t count = 0;
    limit = MIN(limit, (uint32_t)VECTOR_SIZE);
    uint64_t position = reader->position;
    while (count < limit && position < store->memory_count)
        rows[count++] = store->rows[position++];
    if (count < limit && position < store->count) {
        if (!reader->arena)
            reader->arena = arena_new("row reader");
        arena_reset(reader->arena);
        TRY(reader_seek(reader, position - store->memory_count));
        while (count < limit && position < store->count) {
            TRY(rows[count] = row_read(&store->layout, store->file, reader->arena));
            count++;
            position++;
        }
    }
    reader->position = position;
    rows_gather(&store->layout, rows, count, 0, store->layout.count, batch->columns, 0);
    batch->row_count = count;
    batch->selection = (Selection){.count = count};
    return true;
}

Batch *batch_new(Arena *arena, const PhysType *types, uint32_t count)
{
    Batch *batch = ARENA_NEW(arena, Batch);
    batch->columns = ARENA_ARRAY(arena, Vector *, count + 1);
    batch->column_count = count;
    for (uint32_t c = 0; c < count; c++)
        batch->columns[c] = vector_new(arena, types[c]);
    return batch;
}
