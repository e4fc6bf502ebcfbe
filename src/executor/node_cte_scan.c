#include "executor/expr.h"

/* Reads a WITH query's rows, which all its scans share; and the work table of a recursive one. */

typedef struct CteScanState {
    NodeState base;
    RowReader reader;
    Batch *batch;
    uint64_t generation;
} CteScanState;

static bool cte_scan_init(NodeState *node)
{
    CteScanState *state = (CteScanState *)node;
    const CteScanPlan *plan = (const CteScanPlan *)node->plan;
    const Plan *source = node->exec->stmt->subplans.items[plan->subplan].plan;
    state->batch = batch_new(node->exec->arena, plan_types(node->exec->arena, source),
                             (uint32_t)source->column_count);
    return node_init_projection(node);
}

static bool give(CteScanState *state, Batch **ret_batch)
{
    ExprInput input = {.slots = {state->batch->columns, NULL},
                       .row_count = state->batch->row_count};
    return node_project(&state->base, &input, state->batch->selection, ret_batch);
}

/* No more rows are made than somebody may ask for: all, where nothing stops early. */
static uint64_t rows_wanted(const CteScanState *state)
{
    const ExecState *exec = state->base.exec;
    const bool is_all = !exec->stops_early && !exec->gives_few && !exec->parent;
    return state->reader.position + (is_all ? exec->batch_size : 1);
}

static bool cte_scan_next(NodeState *node, Batch **ret_batch)
{
    CteScanState *state = (CteScanState *)node;
    const CteScanPlan *plan = (const CteScanPlan *)node->plan;
    *ret_batch = NULL;
    while (!*ret_batch) {
        CHECK_INTERRUPTS();
        node_scratch_reset(node);
        TRY(exec_subplan_store(node->exec, plan->subplan, &state->reader.store,
                               rows_wanted(state)));
        TRY(row_reader_next(&state->reader, state->batch, node->exec->batch_size));
        if (state->batch->row_count == 0)
            return true;
        TRY(give(state, ret_batch));
    }
    return true;
}

static bool cte_scan_rewind(NodeState *node)
{
    ((CteScanState *)node)->reader.position = 0;
    return true;
}

static void cte_scan_stop(NodeState *node)
{
    ((CteScanState *)node)->reader.position = 0;
}

static void cte_scan_free(NodeState *node)
{
    row_reader_deinit(&((CteScanState *)node)->reader);
}

const NodeMethods node_cte_scan_methods = {
    .size = sizeof(CteScanState),
    .init = cte_scan_init,
    .next = cte_scan_next,
    .rewind = cte_scan_rewind,
    .stop = cte_scan_stop,
    .free = cte_scan_free,
};

static bool work_table_scan_init(NodeState *node)
{
    return node_init_projection(node);
}

static bool work_table_scan_next(NodeState *node, Batch **ret_batch)
{
    CteScanState *state = (CteScanState *)node;
    const WorkTableScanPlan *plan = (const WorkTableScanPlan *)node->plan;
    WorkTable *work = &node->exec->work_tables[plan->work_table];
    *ret_batch = NULL;
    if (state->generation != work->generation || !state->batch) {
        if (!state->batch)
            state->batch = batch_new(node->exec->arena, work->current->layout.types,
                                     work->current->layout.count);
        state->generation = work->generation;
        state->reader.store = work->current;
        state->reader.position = 0;
    }
    while (!*ret_batch) {
        node_scratch_reset(node);
        TRY(row_reader_next(&state->reader, state->batch, node->exec->batch_size));
        if (state->batch->row_count == 0)
            return true;
        TRY(give(state, ret_batch));
    }
    return true;
}

const NodeMethods node_work_table_scan_methods = {
    .size = sizeof(CteScanState),
    .init = work_table_scan_init,
    .next = work_table_scan_next,
    .rewind = cte_scan_rewind,
    .stop = cte_scan_stop,
    .free = cte_scan_free,
};
