/*
 * Packed rows: rows as short byte strings without pointers, for what is sorted.
 *
 * Null bits, then each column's value (of a variable one: where its bytes end), then the variable
 * bytes. Nothing is aligned; a packed row may be moved and written to disk as it is.
 *
 *   packed_layout_init(&layout, arena, types, count);
 *   packed_sizes(&layout, vectors, selection, sizes);        added to what sizes hold
 *   packed_put(&layout, vectors, selection, from, to, at);   the selected rows from … to - 1
 *   packed_gather(&layout, rows, count, vectors);            variable data is borrowed from the
 * rows
 */
#ifndef EXECUTOR_PACKED_ROW_H
#define EXECUTOR_PACKED_ROW_H

#include "base/vector.h"

typedef struct PackedLayout {
    PhysType *types;
    uint32_t *offsets; /* of each value, or of the end of its bytes */
    uint32_t count;
    uint32_t fixed; /* bytes before the variable data */
} PackedLayout;

void packed_layout_init(PackedLayout *layout, Arena *arena, const PhysType *types, uint32_t count);
void packed_sizes(const PackedLayout *layout, Vector *const *vectors, Selection selection,
                  uint32_t *sizes);
void packed_put(const PackedLayout *layout, Vector *const *vectors, Selection selection,
                uint32_t from, uint32_t to, char *const *at);
void packed_gather(const PackedLayout *layout, const char *const *rows, uint32_t count,
                   Vector *const *vectors);
void packed_value(const PackedLayout *layout, const char *row, uint32_t column, Value *ret_value,
                  bool *ret_null);

#endif
