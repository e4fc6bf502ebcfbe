/*
 * What the nodes that sort have in common: node_sort.c, node_incremental_sort.c.
 *
 *   TRY(sort_node_init(node, &keys));                    in init
 *   TRY(sort_keys_run(state->keys, batch));
 *   TRY(sort_node_add(state, batch, selection));         those rows of the batch
 *   TRY(sorter_finish(&state->sorter));
 *   TRY(sort_node_give(state, most_rows, &batch));        NULL: no more
 *   sort_node_free(node);
 */
#ifndef EXECUTOR_SORT_NODE_H
#define EXECUTOR_SORT_NODE_H

#include "executor/packed_row.h"
#include "executor/sort_key.h"
#include "executor/sorter.h"

typedef struct SortState {
    NodeState base;
    SortKeys *keys;
    Sorter sorter;
    PackedLayout layout;
    uint32_t *sizes; /* of the rows of a batch, packed */
    Batch *batch;
    Arena *batch_arena; /* rows read back from runs are copied while a batch is gathered */
    uint16_t *kept;     /* rows of a batch that may be among the first; bounded sorts */
    bool is_filled;
    /* top-N */
    ExprProgram *bounds;
    uint64_t keep, skip, given;
    Str last; /* WITH TIES: key of the last row that is wanted for its place */
} SortState;

MUST_CHECK bool sort_node_init(NodeState *node, const SortKeyVec *keys);
MUST_CHECK bool sort_node_add(SortState *state, const Batch *batch, Selection selection);
MUST_CHECK bool sort_node_give(SortState *state, uint32_t most, Batch **ret_batch);
void sort_node_free(NodeState *node);

#endif
