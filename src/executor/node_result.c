#include "executor/expr.h"

/* One constant row, or a projection of the child, behind a condition decided once. */

typedef struct ResultState {
    NodeState base;
    ExprProgram *condition;
    bool is_decided, passes, is_done;
} ResultState;

static bool result_init(NodeState *node)
{
    ResultState *state = (ResultState *)node;
    const ResultPlan *plan = (const ResultPlan *)node->plan;
    if (plan->one_time_filter.length > 0)
        TRY(state->condition =
                expr_compile(node->exec, node->exec->run_arena, plan->one_time_filter.items,
                             (uint32_t)plan->one_time_filter.length));
    return node_init_projection(node);
}

static bool decide(ResultState *state)
{
    const ResultPlan *plan = (const ResultPlan *)state->base.plan;
    state->is_decided = true;
    state->passes = !plan->is_empty;
    if (!state->condition || !state->passes)
        return true;
    ExprInput none = {.row_count = 1};
    uint16_t row;
    Selection selection;
    TRY(expr_filter(state->condition, &none, (Selection){.count = 1}, &row, &selection));
    state->passes = selection.count > 0;
    return true;
}

/* The first batch of the child of which anything passes. */
static bool project_left(NodeState *node, Batch **ret_batch)
{
    while (!*ret_batch) {
        Batch *batch;
        TRY(node_next(node->left, &batch));
        if (!batch)
            return true;
        node_scratch_reset(node);
        ExprInput input = {.slots = {batch->columns, NULL}, .row_count = batch->row_count};
        TRY(node_project(node, &input, batch->selection, ret_batch));
    }
    return true;
}

static bool result_next(NodeState *node, Batch **ret_batch)
{
    ResultState *state = (ResultState *)node;
    *ret_batch = NULL;
    if (!state->is_decided)
        TRY(decide(state));
    if (!state->passes || state->is_done)
        return true;
    if (!node->left) {
        ExprInput none = {.row_count = 1};
        state->is_done = true;
        node_scratch_reset(node);
        return node_project(node, &none, (Selection){.count = 1}, ret_batch);
    }
    return project_left(node, ret_batch);
}

static bool result_rewind(NodeState *node)
{
    ResultState *state = (ResultState *)node;
    state->is_decided = state->is_done = false;
    return !node->left || node_rewind(node->left);
}

static void result_stop(NodeState *node)
{
    ResultState *state = (ResultState *)node;
    state->is_decided = state->is_done = false;
}

const NodeMethods node_result_methods = {
    .size = sizeof(ResultState),
    .init = result_init,
    .next = result_next,
    .rewind = result_rewind,
    .stop = result_stop,
};

/* A subquery's rows under its own names: projection and filter only. */

static bool subquery_scan_next(NodeState *node, Batch **ret_batch)
{
    *ret_batch = NULL;
    return project_left(node, ret_batch);
}

const NodeMethods node_subquery_scan_methods = {
    .size = sizeof(NodeState),
    .init = node_init_projection,
    .next = subquery_scan_next,
};
