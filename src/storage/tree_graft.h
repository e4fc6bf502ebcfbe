/*
 * Grafting: the leaves of a private tree become leaves of another tree of its kind.
 *
 * What a large transaction has built in trees of its own costs its commit a link a leaf instead of
 * a write a row, and leaves that have left memory are neither read nor written again.
 *
 *   TreeGraft *graft;
 *
 *   TRY(tree_graft_prepare(tree, built, false, &graft));
 *
 * looks over what it comes to, and changes nothing;
 *
 *   TRY(tree_graft_run(graft, &observer));
 *   tree_graft_free(graft);
 *
 * leaves no `built`: all it had is in `tree`.
 *
 * Between the two nobody writes to `built`, and from tree_graft_run on nobody reads it. A leaf is
 * linked where the tree has nothing among its keys; else what it holds is put one by one. A leaf
 * that is to be linked is loose until it is: tree_graft_run is cut short by a crash, never undone.
 *
 * Leaves are linked from the last to the first. So each takes from the leaf that has covered its
 * keys exactly the range that it had in its own tree, and most need not be read.
 */
#ifndef STORAGE_TREE_GRAFT_H
#define STORAGE_TREE_GRAFT_H

#include "storage/tree.h"

typedef struct TreeGraft TreeGraft;

typedef struct GraftObserver {
    /* For each leaf, inside the action that links it, with its slot. Both may be NULL. */
    void (*leaf)(void *context, void **versions);
    void *context;
    const TreeObserver *each; /* of what is put one by one */
} GraftObserver;

/*
 * `tree` and `built` are tables, whose layouts of one version are the same, or indexes. With
 * `one_by_one` nothing is linked: each row or entry has its observer.
 */
MUST_CHECK bool tree_graft_prepare(Tree *tree, Tree *built, bool one_by_one, TreeGraft **ret_graft);
MUST_CHECK bool tree_graft_run(TreeGraft *graft, const GraftObserver *observer);
void tree_graft_free(TreeGraft *graft); /* accepts NULL; one that has not run leaves `built` be */
/* Pages that the graft adds to the data file, at most. */
uint64_t tree_graft_page_count(const TreeGraft *graft);

#endif
