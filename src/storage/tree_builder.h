/*
 * Builds an empty private tree bottom up from ascending input: CREATE INDEX, CTAS, COPY, sorts.
 *
 *   TreeBuilder *builder = tree_builder_new(tree, 90, TREE_TO_ATTACH);   percent to fill
 *   TRY(tree_builder_add_row(builder, row_id, image)); ...
 *   TRY(tree_builder_finish(builder));
 *   tree_builder_free(builder);                              finished: memory alone
 */
#ifndef STORAGE_TREE_BUILDER_H
#define STORAGE_TREE_BUILDER_H

#include "storage/tree.h"

typedef struct TreeBuilder TreeBuilder;
/* To link leaves of a tree into another one, they must do with less than a page (tree_graft.h). */
typedef enum TreeBuildUse { TREE_TO_ATTACH, TREE_TO_GRAFT } TreeBuildUse;
MUST_CHECK TreeBuilder *tree_builder_new(Tree *tree, uint32_t fill_percent, TreeBuildUse use);
MUST_CHECK bool tree_builder_add_row(TreeBuilder *builder, uint64_t row_id, Str image);
/*
 * Rows in columns of the tree's layout, with ids one after the other, whose images have the sizes
 * given: none has more than TREE_SMALL_ROW bytes, so that all of it goes into a leaf.
 */
#define TREE_SMALL_ROW 2048u
MUST_CHECK bool tree_builder_add_rows(TreeBuilder *builder, uint64_t first_id,
                                      const RowRange *range, const size_t *image_sizes);
MUST_CHECK bool tree_builder_add_key(TreeBuilder *builder, Str key);
MUST_CHECK bool tree_builder_finish(TreeBuilder *builder);
void tree_builder_free(TreeBuilder *builder);
/*
 * Instead of both, when what was built is going to be discarded: pages that it has written are
 * entered in the tree, where tree_discard finds them. The error that is set stays. Accepts NULL.
 */
void tree_builder_abandon(TreeBuilder *builder);

#endif
