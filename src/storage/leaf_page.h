/*
 * Leaves of table trees: one page's bytes (PAX), written.
 *
 * Internal to the storage room; pure code. leaf.h reads the same pages.
 *
 *   header | row ids | one bit a column: has NULLs here | null bitmaps | fixed-width arrays | …
 * heap
 *
 * The arrays hold `capacity` elements each. Column c's bitmap is at bitmaps + c * bitmap_size, its
 * array at fixed + capacity * layout->offsets[c]: geometry follows from layout, capacity and id
 * width alone. Variable data: the array has LeafVar (offset, length), the bytes are in the heap
 * that grows down from the page's end. A value on overflow pages has LEAF_EXTERNAL for its length,
 * a LeafExternal in the heap. Where the capacity or the free heap is used up and the bytes would
 * still fit, the leaf is rebuilt, which closes holes and gives rows and heap their shares by what
 * rows have taken so far.
 */
#ifndef STORAGE_LEAF_PAGE_H
#define STORAGE_LEAF_PAGE_H

#include "storage/leaf.h"
#include "storage/node.h"

typedef struct LeafPage {
    NodeHeader header;
    uint16_t capacity;
    uint16_t column_count;
    uint32_t layout_version;
    uint16_t heap_start;
    uint16_t heap_used; /* live bytes; holes are the rest from heap_start to the end */
    uint32_t id_width;  /* 4: ids are offsets from id_base; 8: whole */
    uint64_t id_base;
    uint64_t low, high; /* the ids that belong here, both inclusive */
} LeafPage;

typedef struct LeafVar {
    uint16_t offset, length;
} LeafVar;
#define LEAF_EXTERNAL UINT16_MAX

/* A reference to a value on overflow pages, in the heap unaligned. */
typedef struct LeafExternal {
    uint64_t stamp; /* on every page of the chain */
    uint32_t page;
    uint32_t length, stored_length;
    uint32_t compressed;
} LeafExternal;
static_assert(sizeof(LeafExternal) == 24, "no padding goes to disk");

typedef enum LeafMark {
    MARK_VALUE = 0,
    MARK_NULL = 1,
    MARK_EXTERNAL = 2, /* values[c].var is a LeafExternal */
} LeafMark;

/* A row to write, of the leaf's layout; dropped columns are marked null. */
typedef struct LeafRow {
    uint64_t id;
    const Value *values;
    const uint8_t *marks;
    uint32_t var_size; /* bytes that it takes in the heap */
} LeafRow;

/* The same for rows that lie in columns, none of which has a value that is external. */
typedef struct LeafRowRange {
    uint64_t first_id;
    RowRange range;
    const size_t *var_sizes; /* of each row in the range */
} LeafRowRange;

/* The largest heap share of a row alone in a leaf. */
uint32_t leaf_row_room(const Layout *layout);
/* The same while another row of the same size has room beside it. */
uint32_t leaf_row_room_of_two(const Layout *layout);

void leaf_init(LeafPage *page, const Layout *layout, uint64_t low, uint64_t high);
/* The arrays get room for so many rows, where it is known how many will come; more may. */
void leaf_expect_rows(LeafPage *page, const Layout *layout, uint32_t rows);
/* Fills a view for reading; fails with XX001 where the page does not go with the layout. */
MUST_CHECK bool leaf_view(const LeafPage *page, const Layout *layout, TableLeaf *ret_leaf);
/* Bytes in use: what merging goes by. */
uint32_t leaf_used_bytes(const LeafPage *page, const Layout *layout);

bool leaf_has_room(const LeafPage *page, const Layout *layout, uint64_t row_id, uint32_t var_size);
/* Inserts before `position`, where leaf_has_room. */
void leaf_insert(LeafPage *page, const Layout *layout, uint32_t position, const LeafRow *row);
/*
 * Rows in columns, with ids one after the other behind those that are there: how many of them have
 * room until `fill_bytes` are used (the first of an empty leaf always), and appending so many.
 */
uint32_t leaf_rows_with_room(const LeafPage *page, const Layout *layout, const LeafRowRange *rows,
                             uint32_t fill_bytes);
void leaf_append(LeafPage *page, const Layout *layout, const LeafRowRange *rows);
/* Would the row fit in place of the one at `position`? And that. */
bool leaf_can_replace(const LeafPage *page, const Layout *layout, uint32_t position,
                      const LeafRow *row);
void leaf_replace(LeafPage *page, const Layout *layout, uint32_t position, const LeafRow *row);
void leaf_remove(LeafPage *page, const Layout *layout, uint32_t position);

/* Would the rows fit in the newer layout? And that. */
bool leaf_can_convert(const LeafPage *page, const Layout *from, const Layout *to);
void leaf_convert(LeafPage *page, const Layout *from, const Layout *to);

/* Rows from `position` on go to `right` (a fresh page), which covers ids from `separator` on. */
void leaf_split(LeafPage *page, LeafPage *right, const Layout *layout, uint32_t position,
                uint64_t separator);
bool leaf_can_merge(const LeafPage *left, const LeafPage *right, const Layout *layout);
void leaf_merge(LeafPage *left, const LeafPage *right, const Layout *layout);

/* Is the value external, and its reference. */
bool leaf_external(const LeafPage *page, const Layout *layout, uint32_t position, uint32_t column,
                   LeafExternal *ret_external);

/* B1, B5; what is wrong, or NULL. */
const char *leaf_check(const LeafPage *page, const Layout *layout);

#endif
