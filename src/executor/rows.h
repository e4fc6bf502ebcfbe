/*
 * Serialised rows: how rows of batches are kept by hash tables, sorts and stores.
 *
 * A kept row is one block of memory: header (hash, size, next), null bytes, fixed-width values,
 * then the variable data that its VarRefs point to, in column order. Written to a spill
 * file as it is; row_relocate sets the pointers again after reading.
 *
 *   RowLayout layout;
 *   row_layout_init(&layout, arena, types, count);
 *   Row *row = row_make(&layout, arena, vectors, index);
 *   row_value(&layout, row, column, &value, &is_null);      borrowed from the row
 *
 * A RowStore keeps rows in order, in memory until `limit` bytes, then in a spill file. It is read
 * by any number of readers (materialize, CTE scans, cursors, working tables).
 */
#ifndef EXECUTOR_ROWS_H
#define EXECUTOR_ROWS_H

#include "base/vector.h"
#include "executor/spill.h"

typedef struct Row {
    struct Row *next; /* the owner's: hash chain */
    uint64_t hash;
    uint32_t size; /* of the whole block */
    uint8_t flags; /* the owner's: "matched" */
} Row;

typedef struct RowLayout {
    PhysType *types;
    uint32_t *offsets; /* of each value from the row's start */
    uint32_t count;
    uint32_t nulls; /* offset of the null bytes */
    uint32_t fixed; /* bytes before the variable data */
    bool has_var;
} RowLayout;

void row_layout_init(RowLayout *layout, Arena *arena, const PhysType *types, uint32_t count);
/* Copies row `index` of the vectors into one block. */
Row *row_make(const RowLayout *layout, Arena *arena, Vector *const *vectors, uint32_t index);
void row_value(const RowLayout *layout, const Row *row, uint32_t column, Value *ret_value,
               bool *ret_null);
static inline bool row_is_null(const RowLayout *layout, const Row *row, uint32_t column)
{
    return ((const uint8_t *)row)[layout->nulls + column] != 0;
}
static inline const void *row_field(const RowLayout *layout, const Row *row, uint32_t column)
{
    return (const byte *)row + layout->offsets[column];
}
/* Vectors from rows: vectors[c][to + i] = rows[i].column c; a NULL row gives nulls. */
void rows_gather(const RowLayout *layout, Row *const *rows, uint32_t count, uint32_t first_column,
                 uint32_t column_count, Vector **vectors, uint32_t to);
/* After a copy or a read from disk. */
void row_relocate(const RowLayout *layout, Row *row);
MUST_CHECK bool row_write(SpillFile *file, const Row *row);
/* The next row of the file, in the arena. */
MUST_CHECK Row *row_read(const RowLayout *layout, SpillFile *file, Arena *arena);

typedef struct RowStore {
    RowLayout layout;
    Arena *arena; /* the rows in memory and the index of them */
    SpillSet *spills;
    size_t limit; /* bytes in memory at most */
    Row **rows;   /* those in memory: the first ones */
    uint64_t memory_count, capacity;
    uint64_t count;    /* in all */
    SpillFile *file;   /* the others, NULL: none */
    uint64_t *offsets; /* in the file, one each OFFSET_STEP rows */
    uint64_t offset_count, offset_capacity;
} RowStore;

/* Reads forward from a position, a batch at a time. */
typedef struct RowReader {
    RowStore *store;
    Arena *arena; /* rows read from the file live here until the next call */
    uint64_t position;
} RowReader;

void row_store_init(RowStore *store, Arena *layout_arena, SpillSet *spills, const PhysType *types,
                    uint32_t count, size_t limit);
void row_store_clear(RowStore *store);  /* empty again; memory is kept small */
void row_store_deinit(RowStore *store); /* memory is given back */
MUST_CHECK bool row_store_add_batch(RowStore *store, const Batch *batch);
MUST_CHECK bool row_store_add(RowStore *store, Vector *const *vectors, uint32_t index);
size_t row_store_memory(const RowStore *store);

void row_reader_init(RowReader *reader, RowStore *store);
void row_reader_deinit(RowReader *reader);
/* Up to `limit` rows from the position into the batch's vectors; row_count 0 at the end. */
MUST_CHECK bool row_reader_next(RowReader *reader, Batch *batch, uint32_t limit);

/* A batch of flat vectors of these types, for nodes that make rows. */
Batch *batch_new(Arena *arena, const PhysType *types, uint32_t count);

#endif
