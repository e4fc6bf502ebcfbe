#include "executor/node.h"

/* Keeps its child's rows, so that reading them again does not run the child again. */

typedef struct MaterialState {
    NodeState base;
    RowStore store;
    RowReader reader;
    Batch *batch;
    bool child_done;
} MaterialState;

static bool material_init(NodeState *node)
{
    MaterialState *state = (MaterialState *)node;
    uint32_t count = (uint32_t)node->plan->column_count;
    row_store_init(&state->store, node->exec->arena, &node->exec->spills, node->types, count,
                   exec_work_mem());
    row_reader_init(&state->reader, &state->store);
    state->batch = batch_new(node->exec->arena, node->types, count);
    return true;
}

static bool material_next(NodeState *node, Batch **ret_batch)
{
    MaterialState *state = (MaterialState *)node;
    *ret_batch = NULL;
    if (state->store.count == 0 && !state->child_done)
        node_fill_mark(node);
    if (state->reader.position == state->store.count && !state->child_done) {
        Batch *batch;
        TRY(node_next(node->left, &batch));
        if (!batch)
            state->child_done = true;
        else
            TRY(row_store_add_batch(&state->store, batch));
    }
    TRY(row_reader_next(&state->reader, state->batch, node->exec->batch_size));
    if (state->batch->row_count > 0)
        *ret_batch = state->batch;
    return true;
}

static bool material_rewind(NodeState *node)
{
    MaterialState *state = (MaterialState *)node;
    state->reader.position = 0;
    if (!node_is_stale(node))
        return true;
    row_store_clear(&state->store);
    state->child_done = false;
    return node_rewind(node->left);
}

static void material_stop(NodeState *node)
{
    MaterialState *state = (MaterialState *)node;
    state->reader.position = 0;
    state->child_done = false;
    row_store_clear(&state->store);
}

static void material_free(NodeState *node)
{
    MaterialState *state = (MaterialState *)node;
    row_store_deinit(&state->store);
    row_reader_deinit(&state->reader);
}

const NodeMethods node_material_methods = {
    .size = sizeof(MaterialState),
    .init = material_init,
    .next = material_next,
    .rewind = material_rewind,
    .stop = material_stop,
    .free = material_free,
};
