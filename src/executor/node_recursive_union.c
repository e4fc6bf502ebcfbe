#include "base/pace.h"
#include "executor/equality.h"
#include "executor/node.h"

/*
 * WITH RECURSIVE: the left side's rows once, then the right side again and again, each round over
 * what the round before has added, until a round adds nothing. UNION drops rows seen before.
 *
 * What the right side keeps of the work table (a hash table, a sorted run) is stale with each
 * round: the round is a parameter which it depends on.
 */

typedef struct RecursiveState {
    NodeState base;
    RowStore stores[2]; /* the work table, and what this round adds */
    int current;
    Oid *types;
    uint32_t column_count;
    bool is_distinct, is_recursing, is_done;
    Arena *arena; /* rows seen */
    Row **heads;
    uint64_t mask, count;
    uint64_t *hashes;
    uint16_t *rows;
} RecursiveState;

static bool recursive_init(NodeState *node)
{
    RecursiveState *state = (RecursiveState *)node;
    const RecursiveUnionPlan *plan = (const RecursiveUnionPlan *)node->plan;
    ExecState *exec = node->exec;

    state->column_count = (uint32_t)node->plan->column_count;
    state->types = ARENA_ARRAY(exec->arena, Oid, state->column_count + 1);
    for (uint32_t c = 0; c < state->column_count; c++)
        state->types[c] = node->plan->columns[c].type;
    for (int i = 0; i < 2; i++)
        row_store_init(&state->stores[i], exec->arena, &exec->spills, node->types,
                       state->column_count, exec_work_mem());
    state->is_distinct = plan->is_distinct;
    if (state->is_distinct) {
        state->arena = exec_arena(exec, "recursive union");
        state->hashes = ARENA_ARRAY(exec->arena, uint64_t, VECTOR_SIZE);
        state->rows = ARENA_ARRAY(exec->arena, uint16_t, VECTOR_SIZE);
    }
    exec->work_tables[plan->work_table].current = &state->stores[0];
    return true;
}

/* ---- rows seen ---- */

static bool heads_grow(RecursiveState *state)
{
    Row **old = state->heads;
    uint64_t old_size = old ? state->mask + 1 : 0, size = old ? old_size * 4 : 256;
    TRY(state->heads = PACE_ARRAY(state->arena, Row *, size));
    state->mask = size - 1;
    for (uint64_t i = 0; i < old_size; i++) {
        CHECK_INTERRUPTS_EACH(i);
        for (Row *row = old[i], *next; row; row = next) {
            next = row->next;
            row->next = state->heads[row->hash & state->mask];
            state->heads[row->hash & state->mask] = row;
        }
    }
    return true;
}

/* Remembers the row; *ret_is_new: it was not known. */
static bool seen_add(RecursiveState *state, const Batch *batch, uint64_t hash, uint32_t row,
                     bool *ret_is_new)
{
    *ret_is_new = false;
    if (!state->heads || state->count > state->mask)
        TRY(heads_grow(state));
    Row **head = &state->heads[hash & state->mask];
    for (const Row *known = *head; known; known = known->next)
        if (known->hash == hash && row_keys_equal(&state->stores[0].layout, known, state->types,
                                                  state->column_count, batch->columns, row))
            return true;
    Row *added = row_make(&state->stores[0].layout, state->arena, batch->columns, row);
    added->hash = hash;
    added->next = *head;
    *head = added;
    state->count++;
    *ret_is_new = true;
    return true;
}

static bool select_new(RecursiveState *state, const Batch *batch, Selection *ret)
{
    uint32_t count = 0, i = 0;
    rows_hash(state->types, batch->columns, state->column_count, batch->selection, state->hashes);
    FOR_SELECTED (batch->selection, row) {
        bool is_new;
        CHECK_INTERRUPTS();
        TRY(seen_add(state, batch, state->hashes[i++], row, &is_new));
        if (is_new)
            state->rows[count++] = (uint16_t)row;
    }
    *ret = (Selection){.rows = state->rows, .count = count};
    return true;
}

/* ---- rounds ---- */

/* What this round has added is the next one's work table. */
static bool round_next(RecursiveState *state)
{
    NodeState *node = &state->base;
    const RecursiveUnionPlan *plan = (const RecursiveUnionPlan *)node->plan;
    WorkTable *work = &node->exec->work_tables[plan->work_table];

    row_store_clear(&state->stores[state->current]);
    state->current = 1 - state->current;
    state->is_recursing = true;
    state->is_done = state->stores[state->current].count == 0;
    work->current = &state->stores[state->current];
    work->generation++;
    exec_param_set_value(node->exec, plan->param, &(Value){.int64 = (int64_t)work->generation},
                         false);
    return state->is_done || node_rewind(node->right);
}

static bool recursive_next(NodeState *node, Batch **ret_batch)
{
    RecursiveState *state = (RecursiveState *)node;
    *ret_batch = NULL;
    while (!*ret_batch && !state->is_done) {
        Batch *batch;
        CHECK_INTERRUPTS();
        TRY(node_next(state->is_recursing ? node->right : node->left, &batch));
        if (!batch) {
            TRY(round_next(state));
            continue;
        }
        node->output = *batch;
        if (state->is_distinct)
            TRY(select_new(state, batch, &node->output.selection));
        if (node->output.selection.count == 0)
            continue;
        TRY(row_store_add_batch(&state->stores[1 - state->current], &node->output));
        *ret_batch = &node->output;
    }
    return true;
}

static void recursive_stop(NodeState *node)
{
    RecursiveState *state = (RecursiveState *)node;
    row_store_clear(&state->stores[0]);
    row_store_clear(&state->stores[1]);
    if (state->arena)
        pace_arena_reset(state->arena);
    state->heads = NULL;
    state->mask = state->count = 0;
    state->is_recursing = state->is_done = false;
}

static bool recursive_rewind(NodeState *node)
{
    recursive_stop(node);
    return node_rewind(node->left);
}

static void recursive_free(NodeState *node)
{
    RecursiveState *state = (RecursiveState *)node;
    row_store_deinit(&state->stores[0]);
    row_store_deinit(&state->stores[1]);
}

const NodeMethods node_recursive_union_methods = {
    .size = sizeof(RecursiveState),
    .init = recursive_init,
    .next = recursive_next,
    .rewind = recursive_rewind,
    .stop = recursive_stop,
    .free = recursive_free,
};
