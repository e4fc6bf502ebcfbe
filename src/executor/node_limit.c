#include "executor/expr.h"
#include "executor/sort_key.h"

/* LIMIT, OFFSET, FETCH FIRST … WITH TIES. */

typedef struct LimitState {
    NodeState base;
    ExprProgram *bounds; /* count, offset */
    bool is_ready, is_done, no_limit;
    uint64_t offset, count; /* still to skip, still to give */
    uint16_t *rows;
    SortKeys *ties;
    Arena *tie_arena;
    Str last_key; /* of the last row of the limit, for WITH TIES */
    bool in_ties;
} LimitState;

static bool limit_init(NodeState *node)
{
    LimitState *state = (LimitState *)node;
    const LimitPlan *plan = (const LimitPlan *)node->plan;
    Expr *exprs[2];
    uint32_t count = 0;
    if (plan->count)
        exprs[count++] = plan->count;
    if (plan->offset)
        exprs[count++] = plan->offset;
    if (count > 0)
        TRY(state->bounds = expr_compile(node->exec, node->exec->run_arena, exprs, count));
    node->exec->stops_early |= plan->count != NULL;
    state->rows = arena_alloc(node->exec->arena, VECTOR_SIZE * sizeof(uint16_t));
    if (plan->with_ties) {
        state->tie_arena = arena_new("limit ties");
        TRY(state->ties = sort_keys_new(node->exec, node->scratch, &plan->tie_keys));
    }
    return true;
}

bool limit_value(const Vector *vector, bool is_offset, uint64_t *ret_value, bool *ret_none)
{
    Value value;
    bool is_null;
    vector_get(vector, 0, &value, &is_null);
    *ret_none = is_null;
    *ret_value = is_null ? 0 : (uint64_t)value.int64;
    if (is_null || value.int64 >= 0)
        return true;
    if (is_offset)
        FAIL(ERR_INVALID_ROW_COUNT_IN_RESULT_OFFSET_CLAUSE,
             .message = STR("OFFSET must not be negative"));
    FAIL(ERR_INVALID_ROW_COUNT_IN_LIMIT_CLAUSE, .message = STR("LIMIT must not be negative"));
}

/* The child need not read ahead of what is taken here; how many tie with the last is not known. */
static void tell_goal(LimitState *state)
{
    uint64_t goal;

    if (!state->no_limit && !state->ties &&
        !__builtin_add_overflow(state->offset, state->count, &goal))
        state->base.left->row_goal = goal;
}

static bool limit_prepare(LimitState *state)
{
    const LimitPlan *plan = (const LimitPlan *)state->base.plan;
    uint32_t at = 0;
    bool none;
    state->is_ready = true;
    state->no_limit = true;
    state->offset = state->count = 0;
    state->in_ties = false;
    state->last_key = STR_NONE;
    state->base.left->row_goal = 0;
    if (!state->bounds)
        return true;
    TRY(expr_run_scalar(state->bounds));
    if (plan->count) {
        TRY(limit_value(state->bounds->results[at++], false, &state->count, &none));
        state->no_limit = none;
    }
    if (plan->offset)
        TRY(limit_value(state->bounds->results[at], true, &state->offset, &none));
    state->is_done = !state->no_limit && state->count == 0;
    tell_goal(state);
    return true;
}

/* How many of the rows from `from` equal the last one of the limit in the tie keys. */
static bool count_ties(LimitState *state, Batch *batch, uint32_t from, uint32_t *ret_count)
{
    uint32_t count = 0;
    TRY(sort_keys_run(state->ties, batch));
    for (uint32_t i = from; i < batch->selection.count; i++) {
        Str key;
        TRY(sort_keys_encode(state->ties, selection_row(batch->selection, i), &key));
        if (!str_equal(key, state->last_key))
            break;
        count++;
    }
    if (from + count < batch->selection.count)
        state->is_done = true;
    *ret_count = count;
    return true;
}

static bool remember_tie(LimitState *state, Batch *batch, uint32_t i)
{
    Str key;
    TRY(sort_keys_run(state->ties, batch));
    TRY(sort_keys_encode(state->ties, selection_row(batch->selection, i), &key));
    arena_reset(state->tie_arena);
    state->last_key = str_copy(state->tie_arena, key);
    state->in_ties = true;
    return true;
}

/* Rows [from, from + take) of the batch. */
static Batch *part(LimitState *state, Batch *batch, uint32_t from, uint32_t take)
{
    if (take == batch->selection.count)
        return batch;
    for (uint32_t i = 0; i < take; i++)
        state->rows[i] = (uint16_t)selection_row(batch->selection, from + i);
    state->base.output = *batch;
    state->base.output.selection = (Selection){.rows = state->rows, .count = take};
    return &state->base.output;
}

static bool limit_take(LimitState *state, Batch *batch, Batch **ret_batch)
{
    uint32_t total = batch->selection.count;
    uint32_t from = (uint32_t)MIN(state->offset, (uint64_t)total);
    state->offset -= from;
    uint32_t take = total - from;
    if (take == 0)
        return true;
    if (state->in_ties) {
        TRY(count_ties(state, batch, 0, &take));
    } else if (!state->no_limit && take >= state->count) {
        take = (uint32_t)state->count;
        state->count = 0;
        if (state->ties) {
            uint32_t more;
            TRY(remember_tie(state, batch, from + take - 1));
            TRY(count_ties(state, batch, from + take, &more));
            take += more;
        } else {
            state->is_done = true;
        }
    } else {
        state->count -= state->no_limit ? 0 : take;
    }
    if (take > 0)
        *ret_batch = part(state, batch, from, take);
    return true;
}

static bool limit_next(NodeState *node, Batch **ret_batch)
{
    LimitState *state = (LimitState *)node;
    *ret_batch = NULL;
    if (!state->is_ready)
        TRY(limit_prepare(state));
    while (!*ret_batch && !state->is_done) {
        Batch *batch;
        TRY(node_next(node->left, &batch));
        node_scratch_reset(node);
        if (!batch)
            state->is_done = true;
        else
            TRY(limit_take(state, batch, ret_batch));
    }
    return true;
}

static bool limit_rewind(NodeState *node)
{
    LimitState *state = (LimitState *)node;
    state->is_ready = state->is_done = false;
    return node_rewind(node->left);
}

static void limit_stop(NodeState *node)
{
    LimitState *state = (LimitState *)node;
    state->is_ready = state->is_done = false;
}

static void limit_free(NodeState *node)
{
    arena_free(((LimitState *)node)->tie_arena);
}

const NodeMethods node_limit_methods = {
    .size = sizeof(LimitState),
    .init = limit_init,
    .next = limit_next,
    .rewind = limit_rewind,
    .stop = limit_stop,
    .free = limit_free,
};
