/*
 * Pairs put into a key-value tree, and entries into an index, many at a time.
 *
 *   TRY(tree_kv_put_all(tree, pairs, count));         each as tree_kv_put does it
 *   TRY(tree_index_insert_all(tree, keys, count));    each as tree_index_insert does it
 *
 * Best in ascending order: those that go to one leaf cost one descent. Where it fails, some of
 * them may have been put.
 */
#ifndef STORAGE_TREE_PAIRS_H
#define STORAGE_TREE_PAIRS_H

#include "storage/tree.h"

typedef struct TreePair {
    Str key, value;
} TreePair;
MUST_CHECK bool tree_kv_put_all(Tree *tree, const TreePair *pairs, uint32_t count);
/* Of a tree that nobody observes. */
MUST_CHECK bool tree_index_insert_all(Tree *tree, const Str *keys, uint32_t count);

#endif
