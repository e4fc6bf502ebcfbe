#include "executor/expr.h"
#include "executor/scan_columns.h"
#include "executor/usage.h"

/* All rows of a table, in row id order. */

typedef struct SeqScanState {
    NodeState base;
    ScanColumns columns;
    TableScan *scan;
    const Batch *batch; /* of the scan; NULL: the next one is to be read */
    uint32_t at;        /* its first selected row that is not given */
    uint16_t one;
    RelationUsage *usage;
    bool override_given; /* the one row of an override, or of a sequence */
} SeqScanState;

static bool seq_scan_init(NodeState *node)
{
    SeqScanState *state = (SeqScanState *)node;
    const ScanPlan *plan = (const ScanPlan *)node->plan;
    TRY(scan_columns_init(&state->columns, node->exec, plan->relation, plan->scan_columns,
                          (uint32_t)plan->scan_column_count));
    exec_usage(node->exec, plan->relation, &state->usage);
    return node_init_projection(node);
}

static bool override_next(SeqScanState *state, const EpqOverride *override, Batch **ret_batch)
{
    NodeState *node = &state->base;
    uint32_t count;
    *ret_batch = NULL;
    if (state->override_given)
        return true;
    state->override_given = true;
    TRY(scan_override_fetch(&state->columns, node->exec, override, node->scratch, &count));
    if (count == 0)
        return true;
    ExprInput input = {.slots = {state->columns.slots, NULL}, .row_count = count};
    return node_project(node, &input, (Selection){.count = count}, ret_batch);
}

/* SELECT … FROM a sequence: a table of one row. */
static bool sequence_next(SeqScanState *state, Batch **ret_batch)
{
    NodeState *node = &state->base;
    if (state->override_given)
        return true;
    state->override_given = true;
    TRY(scan_columns_sequence(&state->columns, node->exec, node->scratch));
    ExprInput input = {.slots = {state->columns.slots, NULL}, .row_count = 1};
    return node_project(node, &input, (Selection){.count = 1}, ret_batch);
}

static bool batch_next(SeqScanState *state)
{
    while (!state->batch) {
        CHECK_INTERRUPTS();
        switch (table_scan_next(state->scan)) {
        case SCAN_FAILED:
            return false;
        case SCAN_END:
            return true;
        case SCAN_ROWS:
            break;
        }
        state->batch = table_scan_batch(state->scan);
        state->at = 0;
        usage_add(state->usage, USAGE_ROWS_READ, state->batch->selection.count);
    }
    return true;
}

/* The rows of the batch that are to be given next: all, or one. */
static Selection rows_next(SeqScanState *state, const Batch **ret_batch)
{
    Selection rows = state->batch->selection;
    *ret_batch = state->batch;
    if (state->base.exec->batch_size == 1) {
        state->one = (uint16_t)selection_row(rows, state->at);
        rows = (Selection){.rows = &state->one, .count = 1};
    }
    state->at += rows.count;
    if (state->at >= state->batch->selection.count)
        state->batch = NULL;
    return rows;
}

static bool seq_scan_next(NodeState *node, Batch **ret_batch)
{
    SeqScanState *state = (SeqScanState *)node;
    ExecState *exec = node->exec;
    const EpqOverride *override = scan_override(exec, ((const ScanPlan *)node->plan)->rel);
    *ret_batch = NULL;
    node_scratch_reset(node);
    if (override)
        return override_next(state, override, ret_batch);
    if (state->columns.table->desc->kind == RELKIND_SEQUENCE)
        return sequence_next(state, ret_batch);
    if (!state->scan) {
        TableScanSpec *spec = ARENA_NEW(exec->run_arena, TableScanSpec);
        spec->columns = state->columns.fetch;
        spec->column_count = state->columns.fetch_count;
        state->scan = table_scan_open(exec->session->catalog.txn, &exec->snapshot,
                                      state->columns.table->tree, spec, exec->run_arena);
        TRY(state->scan);
        usage_add(state->usage, USAGE_SCANS, 1);
    }
    while (!*ret_batch) {
        const Batch *batch;
        TRY(batch_next(state));
        if (!state->batch)
            return true;
        node_scratch_reset(node);
        const Selection rows = rows_next(state, &batch);
        scan_columns_bind(&state->columns, batch->columns, rows, node->scratch);
        ExprInput input = {.slots = {state->columns.slots, NULL}, .row_count = batch->row_count};
        TRY(node_project(node, &input, rows, ret_batch));
    }
    return true;
}

static bool seq_scan_rewind(NodeState *node)
{
    SeqScanState *state = (SeqScanState *)node;
    state->override_given = false;
    state->batch = NULL;
    if (state->scan) {
        table_scan_rewind(state->scan);
        usage_add(state->usage, USAGE_SCANS, 1);
    }
    return true;
}

static void seq_scan_stop(NodeState *node)
{
    SeqScanState *state = (SeqScanState *)node;
    table_scan_close(state->scan);
    state->scan = NULL;
    state->batch = NULL;
    state->override_given = false;
}

const NodeMethods node_seq_scan_methods = {
    .size = sizeof(SeqScanState),
    .init = seq_scan_init,
    .next = seq_scan_next,
    .rewind = seq_scan_rewind,
    .stop = seq_scan_stop,
};
