/*
 * What the transaction room is told of trees: hooks, when rows move between leaves or a leaf goes,
 * and observers, before a leaf's row or entry changes.
 */
#ifndef STORAGE_TREE_HOOKS_H
#define STORAGE_TREE_HOOKS_H

#include "base/str.h"

typedef struct Tree Tree;

/*
 * What the transaction room wants to know of every tree. `versions` is the leaf's own slot, NULL
 * until txn hangs something there; the storage room never looks inside. Calls come inside an action
 * with the leaves X-latched: they must not fail, wait or touch pages.
 */
typedef struct TreeHooks {
    /* Rows with ids >= first_row_id (TREE_TABLE) or the upper entries move from one leaf to
     * another. */
    void (*leaf_split)(void *context, Tree *tree, void **from, void **to, uint64_t first_row_id);
    /* Everything of `from` moves to `to`; `from`'s slot must be NULL afterwards. */
    void (*leaf_merged)(void *context, Tree *tree, void **from, void **to);
    /* The leaf goes away with its tree; the slot must be NULL afterwards. */
    void (*leaf_discarded)(void *context, Tree *tree, void **versions);
    /* May all ghosts of this leaf of an index go? Asked before an index leaf would split, and when
     * one is purged. */
    bool (*may_purge_ghosts)(void *context, Tree *tree, void **versions);
    /* Where not all may: may this one? */
    bool (*may_purge_ghost)(void *context, Tree *tree, Str key);
    /* A leaf has so many ghosts that it is worth a purge, once they may go: it has got them now, or
     * (latched shared) a reader has come by. The leaf covers `key`. */
    void (*ghosts_gather)(void *context, Tree *tree, void **versions, Str key);
    void (*ghosts_met)(void *context, Tree *tree, void **versions, Str key);
} TreeHooks;

/* For all stores of the process; once at start, before any tree is changed. NULL: none. */
void tree_set_hooks(const TreeHooks *hooks, void *context);

/* A leaf about to change, as an observer sees it. */
typedef struct TreeChange {
    Tree *tree;
    void **versions;    /* the leaf's slot */
    uint64_t row_id;    /* TREE_TABLE: the row; TREE_INDEX: of the entry */
    Str key;            /* TREE_INDEX, TREE_KEY_VALUE */
    bool existed;       /* there is a row (entry) now */
    bool was_ghost;     /* TREE_INDEX: and it is a ghost */
    bool deletes;       /* the change takes it away (TREE_INDEX: makes it a ghost) */
    uint32_t old_size;  /* existed: bytes of the old row's image (TREE_KEY_VALUE: of the value) */
    const void *detail; /* tree_change_old_image's own */
} TreeChange;

/* Writes the old row's image, old_size bytes, overflow values whole. Never fails. */
void tree_change_old_image(const TreeChange *change, byte *ret_image);

typedef struct TreeObserver {
    void (*before)(void *context, const TreeChange *change);
    void *context;
} TreeObserver;

#endif
