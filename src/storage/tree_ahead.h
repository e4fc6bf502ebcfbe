/*
 * Rows of a table by their ids, read one after the other from all over it, as an index scan does.
 *
 * Each such row costs a descent and misses the processor's cache on its leaf's entry, its header,
 * its columns' arrays and its values, one waiting for the other. So the leaves of the next rows are
 * found ahead of time, and what will be read of them is asked for, a stage of it with each row that
 * goes by; a leaf that is not in memory is loaded meanwhile. The inner nodes are passed no more
 * often than they would be: a place that is found is used, if its parent has not changed since.
 *
 *   TreeAhead ahead;
 *   tree_ahead_init(&ahead, tree, row_ids, count);
 *   for (at = 0; at < count; at += rows that `context` says the leaf had)
 *       TRY(tree_ahead_visit(&ahead, at, visit, &context));
 *
 * While one leaf has many of the rows in a row, nothing is looked for ahead.
 */
#ifndef STORAGE_TREE_AHEAD_H
#define STORAGE_TREE_AHEAD_H

#include "storage/page.h"
#include "storage/tree.h"

#define TREE_AHEAD_MAX 8u

/* Where a row was when it was looked for. Hints all, but for `parent` with `leaf`. */
typedef struct TreeAheadPlace {
    Page parent; /* optimistic: while it is valid, `leaf` covers the row */
    PageId leaf; /* PAGE_ID_NONE: not known */
    uint32_t position;
    uint32_t capacity;
    const byte *arrays; /* of the leaf's columns; NULL: not known */
} TreeAheadPlace;

/* Only its user's; nothing to free. */
typedef struct TreeAhead {
    Tree *tree;
    const int64_t *row_ids; /* of the caller */
    uint32_t count;
    uint32_t window;                       /* rows ahead that are looked for */
    uint32_t visited;                      /* the row of the visit before; UINT32_MAX: none yet */
    uint32_t found, warmed, aimed;         /* rows before it have come through that stage */
    TreeAheadPlace places[TREE_AHEAD_MAX]; /* row i's at i % TREE_AHEAD_MAX */
} TreeAhead;

void tree_ahead_init(TreeAhead *ahead, Tree *tree, const int64_t *row_ids, uint32_t count);
/* As tree_visit_leaf for row_ids[at]; `at` only grows. */
MUST_CHECK bool tree_ahead_visit(TreeAhead *ahead, uint32_t at, TreeLeafVisitor *visitor,
                                 void *context);

#endif
