/*
 * A latched leaf of a table tree, to read: what a TreeLeafVisitor is given.
 *
 * Rows lie column by column (PAX): fixed-width columns as arrays, null bitmaps, a heap for variable
 * data. Positions 0 … row_count-1 are in row id order. The leaf may be of an older layout than
 * the table's newest; copying converts: a column the leaf lacks reads as its missing value.
 *
 *   static bool visit(void *context, const TableLeaf *leaf)
 *   {
 *       Scan *scan = context;
 *       if (!*leaf->versions || …newer than the snapshot…)
 *           return table_leaf_copy_column(leaf, 3, NULL, 0, leaf->row_count, vector, 0,
 * &externals); …
 *   }
 *
 * What is copied outlives the latch: variable data goes to the arena of `externals`. Values on
 * overflow pages are listed in `externals` with their VarRef to fill: call tree_externals_load
 * after the visit.
 */
#ifndef STORAGE_LEAF_H
#define STORAGE_LEAF_H

#include "storage/tree.h"

struct TableLeaf {
    Tree *tree;
    const byte *page;
    const Layout *layout; /* the leaf's */
    const Layout *newest; /* the table's */
    void **versions;      /* the slot's content may be read; its own rules say how */
    uint64_t first_id;    /* the range of ids that belong in this leaf: [first_id, last_id] */
    uint64_t last_id;
    uint32_t row_count;
    /* Where things lie; checked against the page when the leaf is made. */
    uint32_t capacity;
    uint32_t ids_offset;
    uint32_t id_width; /* 4: offsets from id_base; 8: whole ids */
    uint64_t id_base;
    uint32_t nulls_any; /* one bit a column: it has NULLs in this leaf */
    uint32_t bitmaps;   /* per column bitmap_size bytes, 1 = null */
    uint32_t bitmap_size;
    uint32_t fixed; /* column c's array is at fixed + capacity * layout->offsets[c] */
    uint32_t heap_start;
};

/* The id of the row at a position. */
static inline uint64_t table_leaf_row_id(const TableLeaf *leaf, uint32_t position)
{
    const byte *ids = leaf->page + leaf->ids_offset;
    if (leaf->id_width == 4) {
        uint32_t delta;
        memcpy(&delta, ids + 4 * (size_t)position, 4);
        return leaf->id_base + delta;
    }
    uint64_t id;
    memcpy(&id, ids + 8 * (size_t)position, 8);
    return id;
}
/* The first position whose id is >= row_id; row_count when there is none. */
uint32_t table_leaf_lower_bound(const TableLeaf *leaf, uint64_t row_id);
/* True and the position, or false (no error). */
bool table_leaf_find(const TableLeaf *leaf, uint64_t row_id, uint32_t *ret_position);
void table_leaf_copy_ids(const TableLeaf *leaf, uint32_t first, uint32_t count, uint64_t *ret_ids);

/*
 * Copies one column of `count` rows (`positions`, or first … first+count-1 when it is NULL) into
 * the vector from row `target_row` on. Null marks are set for exactly those rows (has_nulls is set
 * when one is null; who reuses a vector clears it first). Fails only with XX001.
 */
MUST_CHECK bool table_leaf_copy_column(const TableLeaf *leaf, uint32_t column,
                                       const uint16_t *positions, uint32_t first, uint32_t count,
                                       Vector *vector, uint32_t target_row,
                                       TreeExternals *externals);
/* Chosen columns (all of the newest layout's when `columns` is NULL) of one row. */
MUST_CHECK bool table_leaf_copy_row(const TableLeaf *leaf, uint32_t position,
                                    const uint16_t *columns, uint32_t count, Value *ret_values,
                                    bool *ret_nulls, TreeExternals *externals);
/*
 * One fixed-width column's value in place, or variable data borrowed from the page: only while the
 * visitor runs. *ret_external: the value is on overflow pages (then *ret_value has its length
 * only).
 */
MUST_CHECK bool table_leaf_peek(const TableLeaf *leaf, uint32_t position, uint32_t column,
                                Value *ret_value, bool *ret_null, bool *ret_external);
/* Does the row have values on overflow pages (so that its image needs tree_get_image)? */
bool table_leaf_has_externals(const TableLeaf *leaf, uint32_t position);
/* The row's image in the leaf's layout; the row must have no externals. */
MUST_CHECK bool table_leaf_image_size(const TableLeaf *leaf, uint32_t position, size_t *ret_size);
MUST_CHECK bool table_leaf_image(const TableLeaf *leaf, uint32_t position, byte *ret_image);

#endif
