#include "executor/node.h"

/* Of rows that follow each other and are equal in the key columns, the first. Nulls are equal. */

typedef struct UniqueState {
    NodeState base;
    uint32_t key_count;
    int *columns;
    Oid *types;
    Value *last; /* keys of the row given last; variable data in `keys` */
    bool *last_nulls;
    Arena *keys;
    bool has_last;
    uint16_t *rows;
} UniqueState;

static bool unique_init(NodeState *node)
{
    UniqueState *state = (UniqueState *)node;
    const UniquePlan *plan = (const UniquePlan *)node->plan;
    Arena *arena = node->exec->arena;

    state->key_count = (uint32_t)plan->key_columns.length;
    state->columns = plan->key_columns.items;
    state->types = ARENA_ARRAY(arena, Oid, state->key_count + 1);
    state->last = ARENA_ARRAY(arena, Value, state->key_count + 1);
    state->last_nulls = ARENA_ARRAY(arena, bool, state->key_count + 1);
    for (uint32_t k = 0; k < state->key_count; k++)
        state->types[k] = node->plan->columns[state->columns[k]].type;
    state->rows = arena_alloc(arena, VECTOR_SIZE * sizeof(uint16_t));
    state->keys = arena_new("unique");
    return true;
}

static bool is_repeated(const UniqueState *state, const Batch *batch, uint32_t row)
{
    if (!state->has_last)
        return false;
    for (uint32_t k = 0; k < state->key_count; k++) {
        Value value;
        bool is_null;
        vector_get(batch->columns[state->columns[k]], row, &value, &is_null);
        if (is_null != state->last_nulls[k] ||
            (!is_null && !type_equal(state->types[k], &value, &state->last[k])))
            return false;
    }
    return true;
}

static void remember(UniqueState *state, const Batch *batch, uint32_t row)
{
    arena_reset(state->keys);
    state->has_last = true;
    for (uint32_t k = 0; k < state->key_count; k++) {
        const Vector *v = batch->columns[state->columns[k]];
        Value value;
        vector_get(v, row, &value, &state->last_nulls[k]);
        if (!state->last_nulls[k])
            state->last[k] = value_copy(state->keys, v->type, &value);
    }
}

static bool unique_next(NodeState *node, Batch **ret_batch)
{
    UniqueState *state = (UniqueState *)node;
    *ret_batch = NULL;
    while (!*ret_batch) {
        Batch *batch;
        uint32_t count = 0;
        TRY(node_next(node->left, &batch));
        if (!batch)
            return true;
        FOR_SELECTED (batch->selection, row) {
            if (is_repeated(state, batch, row))
                continue;
            remember(state, batch, row);
            state->rows[count++] = (uint16_t)row;
        }
        if (count == 0)
            continue;
        node->output = *batch;
        node->output.selection = (Selection){.rows = state->rows, .count = count};
        *ret_batch = &node->output;
    }
    return true;
}

static bool unique_rewind(NodeState *node)
{
    ((UniqueState *)node)->has_last = false;
    return node_rewind(node->left);
}

static void unique_stop(NodeState *node)
{
    ((UniqueState *)node)->has_last = false;
}

static void unique_free(NodeState *node)
{
    arena_free(((UniqueState *)node)->keys);
}

const NodeMethods node_unique_methods = {
    .size = sizeof(UniqueState),
    .init = unique_init,
    .next = unique_next,
    .rewind = unique_rewind,
    .stop = unique_stop,
    .free = unique_free,
};
