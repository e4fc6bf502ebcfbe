/*
 * Reading what an apply will touch before anything is promised: damage shows while the transaction
 * can still fail.
 *
 *   TreeReady ready = {0};                        one for each tree, keys in order
 *   TRY(tree_ready_row(tree, row_id, &ready));    a row that is put
 *   TRY(tree_ready_old_row(tree, row_id, &size)); one that is deleted: its large values too
 *   TRY(tree_old_row_size(tree, row_id, &size));  one that is changed, and has been read
 *   TRY(tree_ready_key(tree, key, &ready));       an entry or a pair
 *
 * The pages from the root to the leaf are looked over as they are loaded (XX001); a descent that
 * gets through has seen all of them. A leaf's range is remembered, so that many keys in order cost
 * one descent a leaf.
 */
#ifndef STORAGE_TREE_READY_H
#define STORAGE_TREE_READY_H

#include "storage/tree.h"

typedef struct TreeReady {
    bool has_range, is_last;
    uint64_t first_row_id, last_row_id; /* tables */
    size_t upper_length;                /* others: keys below it, unless the leaf is the last */
    char upper[TREE_MAX_KEY];
} TreeReady;

MUST_CHECK bool tree_ready_row(Tree *tree, uint64_t row_id, TreeReady *ready);
/* *ret_size is that of its image if it has values outside its leaf, else 0. */
MUST_CHECK bool tree_ready_old_row(Tree *tree, uint64_t row_id, uint64_t *ret_size);
/* The same of the reference in the leaf alone: nothing large is read. */
MUST_CHECK bool tree_old_row_size(Tree *tree, uint64_t row_id, uint64_t *ret_size);
MUST_CHECK bool tree_ready_key(Tree *tree, Str key, TreeReady *ready);
/* Is a key that comes in order in the leaf that was read last? */
bool tree_ready_has(const TreeReady *ready, Str key);
/* The directory where it has, or would have, the tree of this id. */
MUST_CHECK bool tree_ready_directory(Database *database, TreeId id);

#endif
