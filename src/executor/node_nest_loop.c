#include "executor/expr.h"

/*
 * Nested loop: for each left row, the right side's rows under parameters of that row. Pairs are
 * collected from as many left rows as fit a batch; INNER, LEFT, SEMI and ANTI.
 */

typedef struct NestLoopState {
    NodeState base;
    ExprProgram *condition, *params;
    Batch *left, *right;
    uint32_t left_at; /* the selected row of the left batch at hand */
    bool inner_open, matched;
    Vector **left_out; /* the left row, for each row of the right batch */
    Batch *nulls;      /* right side of an unmatched left row */
    uint16_t *rows, one;
} NestLoopState;

static bool nest_loop_init(NodeState *node)
{
    NestLoopState *state = (NestLoopState *)node;
    const NestLoopPlan *plan = (const NestLoopPlan *)node->plan;
    ExecState *exec = node->exec;
    Arena *arena = exec->arena;
    uint32_t left = (uint32_t)node->left->plan->column_count;
    uint32_t right = (uint32_t)node->right->plan->column_count;
    exec->stops_early |= plan->join.inner_unique || plan->join.join_type == JOINS_SEMI ||
                         plan->join.join_type == JOINS_ANTI;
    TRY(state->condition = expr_compile(exec, node->scratch, plan->join.condition.items,
                                        (uint32_t)plan->join.condition.length));
    Expr **values = ARENA_ARRAY(arena, Expr *, plan->params.length + 1);
    for (size_t i = 0; i < plan->params.length; i++)
        values[i] = plan->params.items[i].value;
    TRY(state->params = expr_compile(exec, exec_arena(exec, "nested loop parameters"), values,
                                     (uint32_t)plan->params.length));
    state->left_out = ARENA_ARRAY(arena, Vector *, left + 1);
    for (uint32_t c = 0; c < left; c++)
        state->left_out[c] = vector_new_constant(arena, node->left->types[c], &(Value){0}, true);
    state->nulls = ARENA_NEW(arena, Batch);
    state->nulls->columns = ARENA_ARRAY(arena, Vector *, right + 1);
    for (uint32_t c = 0; c < right; c++)
        state->nulls->columns[c] =
            vector_new_constant(arena, node->right->types[c], &(Value){0}, true);
    state->rows = arena_alloc(arena, VECTOR_SIZE * sizeof(uint16_t));
    return node_init_projection(node);
}

/* The next left row: its columns become constants, its parameters are set, the right side rewound.
 */
static bool left_advance(NestLoopState *state, bool *ret_end)
{
    NodeState *node = &state->base;
    const NestLoopPlan *plan = (const NestLoopPlan *)node->plan;
    *ret_end = false;
    if (!state->left || ++state->left_at >= state->left->selection.count) {
        TRY(node_next(node->left, &state->left));
        state->left_at = 0;
        if (!state->left) {
            *ret_end = true;
            return true;
        }
        if (state->params->count > 0) {
            arena_reset(state->params->scratch);
            ExprInput input = {.slots = {state->left->columns, NULL},
                               .row_count = state->left->row_count};
            TRY(expr_run(state->params, &input, state->left->selection));
        }
    }
    uint32_t row = selection_row(state->left->selection, state->left_at);
    for (int c = 0; c < node->left->plan->column_count; c++) {
        Vector *to = state->left_out[c];
        Value value;
        bool is_null;
        vector_get(state->left->columns[c], row, &value, &is_null);
        if (!is_null)
            memcpy(to->values, &value, phys_width(to->type));
        to->nulls[0] = is_null;
        to->has_nulls = is_null;
    }
    for (size_t i = 0; i < plan->params.length; i++)
        exec_param_set(node->exec, plan->params.items[i].number, state->params->results[i], row);
    state->inner_open = true;
    state->matched = false;
    return node_rewind(node->right);
}

/* The left row alone, its right side null. */
static bool give_left(NestLoopState *state, Batch **ret_batch)
{
    ExprInput input = {.slots = {state->left_out, state->nulls->columns}, .row_count = 1};
    node_scratch_reset(&state->base);
    return node_project(&state->base, &input, (Selection){.count = 1}, ret_batch);
}

static bool inner_step(NestLoopState *state, Batch **ret_batch)
{
    NodeState *node = &state->base;
    const JoinPlan *plan = &((const NestLoopPlan *)node->plan)->join;
    Batch *right;
    TRY(node_next(node->right, &right));
    if (!right) {
        state->inner_open = false;
        bool lonely =
            !state->matched && (plan->join_type == JOINS_LEFT || plan->join_type == JOINS_ANTI);
        return !lonely || give_left(state, ret_batch);
    }
    node_scratch_reset(node);
    ExprInput input = {.slots = {state->left_out, right->columns}, .row_count = right->row_count};
    Selection selection;
    TRY(expr_filter(state->condition, &input, right->selection, state->rows, &selection));
    if (selection.count == 0)
        return true;
    state->matched = true;
    switch (plan->join_type) {
    case JOINS_SEMI:
        state->inner_open = false;
        return give_left(state, ret_batch);
    case JOINS_ANTI:
        state->inner_open = false;
        return true;
    default:
        break;
    }
    if (plan->inner_unique) {
        state->inner_open = false;
        state->one = (uint16_t)selection_row(selection, 0);
        selection = (Selection){.rows = &state->one, .count = 1};
    }
    return node_project(node, &input, selection, ret_batch);
}

static bool nest_loop_next(NodeState *node, Batch **ret_batch)
{
    NestLoopState *state = (NestLoopState *)node;
    *ret_batch = NULL;
    while (!*ret_batch) {
        CHECK_INTERRUPTS();
        if (!state->inner_open) {
            bool end;
            TRY(left_advance(state, &end));
            if (end)
                return true;
        }
        TRY(inner_step(state, ret_batch));
    }
    return true;
}

static void nest_loop_stop(NodeState *node)
{
    NestLoopState *state = (NestLoopState *)node;
    state->left = NULL;
    state->inner_open = false;
}

static bool nest_loop_rewind(NodeState *node)
{
    nest_loop_stop(node);
    TRY(node_rewind(node->left));
    return node_rewind(node->right);
}

const NodeMethods node_nest_loop_methods = {
    .size = sizeof(NestLoopState),
    .init = nest_loop_init,
    .next = nest_loop_next,
    .rewind = nest_loop_rewind,
    .stop = nest_loop_stop,
};
