#include "base/merge_sort.h"
#include "base/pace.h"
#include "executor/expr.h"
#include "executor/scan_columns.h"
#include "executor/sorter.h"
#include "executor/usage.h"
#include "types/array.h"

/*
 * Rows by their place: WHERE ctid = …, ctid = ANY(…); or as indexes have found them, each row once
 * and in the table's order.
 */

typedef struct RowIdScanState {
    NodeState base;
    ScanColumns columns;
    ExprProgram *ctids;
    int64_t *row_ids;
    uint32_t count, at;
    bool is_ready, override_given;
    RelationUsage *usage;
    Sorter sorter; /* of the child's row ids */
    int64_t last_id;
} RowIdScanState;

static bool row_id_scan_init(NodeState *node)
{
    RowIdScanState *state = (RowIdScanState *)node;
    const RowIdScanPlan *plan = (const RowIdScanPlan *)node->plan;
    exec_usage(node->exec, plan->scan.relation, &state->usage);
    TRY(scan_columns_init(&state->columns, node->exec, plan->scan.relation, plan->scan.scan_columns,
                          (uint32_t)plan->scan.scan_column_count));
    sorter_init(&state->sorter, &node->exec->spills, exec_work_mem());
    if (node->left)
        state->row_ids = ARENA_ARRAY(node->exec->arena, int64_t, VECTOR_SIZE);
    if (plan->ctids.length > 0)
        TRY(state->ctids = expr_compile(node->exec, node->exec->run_arena, plan->ctids.items,
                                        (uint32_t)plan->ctids.length));
    return node_init_projection(node);
}

static int id_order(const void *a, const void *b, const void *context)
{
    (void)context;
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool ids_add_array(RowIdScanState *state, const Value *array)
{
    ArrayView view;
    TRY(array_open(array, &view));
    TRY(state->row_ids = PACE_ARRAY(state->base.exec->run_arena, int64_t, view.count + 1));
    for (int i = 0; i < view.count; i++) {
        Value value;
        bool is_null;
        CHECK_INTERRUPTS_EACH((unsigned)i);
        array_element(&view, i, &value, &is_null);
        if (!is_null)
            state->row_ids[state->count++] = value.int64;
    }
    return true;
}

static bool current_of(RowIdScanState *state, const RowIdScanPlan *plan)
{
    ExecSession *session = state->base.exec->session;
    const RelationDesc *table = relation_get(&session->catalog, plan->scan.relation);
    int64_t row_id;
    TRY(table);
    if (!session->ops || !session->ops->cursor_row)
        FAIL_UNSUPPORTED("WHERE CURRENT OF");
    TRY(session->ops->cursor_row(session, plan->cursor_name, table, &row_id));
    state->row_ids = ARENA_NEW(state->base.exec->run_arena, int64_t);
    if (row_id)
        state->row_ids[state->count++] = row_id;
    return true;
}

static bool ids_add(RowIdScanState *state, const Batch *batch)
{
    static const uint32_t payload_size = 0, key_size = sizeof(uint64_t);
    const int64_t *ids = VECTOR_VALUES(batch->columns[0], int64_t);
    FOR_SELECTED (batch->selection, row) {
        const uint64_t key = __builtin_bswap64((uint64_t)ids[row]);
        char *at;
        TRY(sorter_reserve(&state->sorter, &key_size, &payload_size, 1, &at));
        memcpy(at, &key, sizeof(key));
    }
    return true;
}

static bool ids_sort(RowIdScanState *state)
{
    for (;;) {
        Batch *batch;
        CHECK_INTERRUPTS();
        TRY(node_next(state->base.left, &batch));
        if (!batch)
            break;
        TRY(ids_add(state, batch));
    }
    state->last_id = 0;
    return sorter_finish(&state->sorter);
}

/* The next ids of the child's, each once; they are all above 0. */
static bool ids_next(RowIdScanState *state)
{
    state->count = state->at = 0;
    while (state->count < VECTOR_SIZE) {
        SortRecord record;
        uint64_t key;
        TRY(sorter_next(&state->sorter, &record));
        if (!record.key.data)
            break;
        memcpy(&key, record.key.data, sizeof(key));
        const int64_t id = (int64_t)__builtin_bswap64(key);
        if (id != state->last_id)
            state->row_ids[state->count++] = id;
        state->last_id = id;
    }
    return true;
}

/* Ascending, each once. */
static bool ids_order(RowIdScanState *state)
{
    const MergeSort ascending = {.size = sizeof(int64_t), .compare = id_order};
    int64_t *scratch =
        arena_alloc(state->base.exec->run_arena, (state->count / 2 + 1) * sizeof(int64_t));
    TRY(merge_sort(&ascending, state->row_ids, scratch, state->count));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < state->count; i++) {
        CHECK_INTERRUPTS_EACH(i);
        if (kept == 0 || state->row_ids[kept - 1] != state->row_ids[i])
            state->row_ids[kept++] = state->row_ids[i];
    }
    state->count = kept;
    return true;
}

static bool ids_prepare(RowIdScanState *state)
{
    const RowIdScanPlan *plan = (const RowIdScanPlan *)state->base.plan;
    state->count = state->at = 0;
    state->is_ready = true;
    if (state->base.left)
        return ids_sort(state);
    if (!state->ctids)
        return current_of(state, plan);
    TRY(expr_run_scalar(state->ctids));
    if (!plan->is_array)
        state->row_ids = ARENA_ARRAY(state->base.exec->run_arena, int64_t, plan->ctids.length);
    for (size_t i = 0; i < plan->ctids.length; i++) {
        Value value;
        bool is_null;
        vector_get(state->ctids->results[i], 0, &value, &is_null);
        if (is_null)
            continue;
        if (plan->is_array)
            TRY(ids_add_array(state, &value));
        else
            state->row_ids[state->count++] = value.int64;
    }
    return ids_order(state);
}

static bool row_id_scan_next(NodeState *node, Batch **ret_batch)
{
    RowIdScanState *state = (RowIdScanState *)node;
    ExecState *exec = node->exec;
    const EpqOverride *override = scan_override(exec, ((const ScanPlan *)node->plan)->rel);
    *ret_batch = NULL;
    if (!state->is_ready && !override)
        TRY(ids_prepare(state));
    while (!*ret_batch) {
        uint32_t found = 0;
        CHECK_INTERRUPTS();
        node_scratch_reset(node);
        if (override) {
            if (state->override_given)
                return true;
            state->override_given = true;
            TRY(scan_override_fetch(&state->columns, exec, override, node->scratch, &found));
        } else {
            if (node->left && state->at == state->count)
                TRY(ids_next(state));
            uint32_t count = MIN(state->count - state->at, exec->batch_size);
            if (count == 0)
                return true;
            TRY(scan_columns_fetch(&state->columns, exec, &exec->snapshot,
                                   state->row_ids + state->at, count, node->scratch, &found));
            state->at += count;
            usage_add(state->usage, USAGE_ROWS_FETCHED, node->left ? found : 0);
        }
        ExprInput input = {.slots = {state->columns.slots, NULL}, .row_count = found};
        TRY(node_project(node, &input, (Selection){.count = found}, ret_batch));
    }
    return true;
}

static bool row_id_scan_rewind(NodeState *node)
{
    RowIdScanState *state = (RowIdScanState *)node;
    state->is_ready = state->override_given = false;
    state->count = state->at = 0;
    sorter_clear(&state->sorter);
    return !node->left || node_rewind(node->left);
}

static void row_id_scan_stop(NodeState *node)
{
    RowIdScanState *state = (RowIdScanState *)node;
    state->is_ready = state->override_given = false;
    state->count = state->at = 0;
    sorter_clear(&state->sorter);
}

static void row_id_scan_free(NodeState *node)
{
    sorter_deinit(&((RowIdScanState *)node)->sorter);
}

const NodeMethods node_row_id_scan_methods = {
    .size = sizeof(RowIdScanState),
    .init = row_id_scan_init,
    .next = row_id_scan_next,
    .rewind = row_id_scan_rewind,
    .stop = row_id_scan_stop,
    .free = row_id_scan_free,
};
