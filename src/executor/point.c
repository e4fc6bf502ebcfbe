#include "executor/point.h"

#include "executor/usage.h"
#include "types/key.h"

struct PointQuery {
    ExecState *exec;
    TableHandle *table;
    IndexHandle *index;
    KeyColumn *key_columns;
    const Vector **key_values; /* constant vectors: parameters, or the plan's own constants */
    uint32_t key_count;
    StrBuf key;
    uint16_t *columns; /* of the table, in the order of the result */
    uint32_t column_count;
    Value *values;
    bool *nulls;
    Batch *batch; /* for sinks that take batches only; made at the first */
    RelationUsage *index_usage;
};

/* -- Making ------------------------------------------------------------------------------------ */

static bool is_plain_parameter(const Expr *expr)
{
    return expr->kind == EXPR_PARAM && ((const ExprParam *)expr)->param_kind == PARAM_EXTERNAL;
}

/* The parameter's vector, which the tree has made; or one of the constant. */
static const Vector *key_vector(ExecState *exec, const Expr *expr)
{
    if (is_plain_parameter(expr)) {
        const size_t number = (size_t)((const ExprParam *)expr)->number;
        return number <= exec->externals.length ? exec->externals.items[number - 1] : NULL;
    }
    if (expr->kind != EXPR_CONST)
        return NULL;
    const ExprConst *constant = (const ExprConst *)expr;
    return vector_new_constant(exec->arena, type_phys(expr->type), &constant->value,
                               constant->is_null);
}

static bool take_keys(PointQuery *point, const IndexScanPlan *plan)
{
    Arena *arena = point->exec->arena;
    const IndexDesc *desc = point->index->desc;

    if (plan->keys.length != desc->key_count)
        return false;
    point->key_count = desc->key_count;
    point->key_columns = ARENA_ARRAY(arena, KeyColumn, point->key_count);
    point->key_values = ARENA_ARRAY(arena, const Vector *, point->key_count);
    for (uint32_t k = 0; k < point->key_count; k++) {
        const IndexKey *key = &plan->keys.items[k];
        const IndexColumn *column = &desc->columns[k];
        if (key->op != INDEX_EQ || key->column != (int)k || key->value_wider)
            return false;
        const Vector *vector = key_vector(point->exec, key->value);
        if (!vector || vector->type != column->phys)
            return false;
        point->key_values[k] = vector;
        point->key_columns[k] = (KeyColumn){.type = column->type,
                                            .descending = column->descending,
                                            .nulls_first = column->nulls_first};
    }
    return true;
}

static bool add_column(PointQuery *point, int attnum)
{
    if (attnum < 1)
        return false;
    point->columns[point->column_count++] = (uint16_t)(attnum - 1);
    return true;
}

/* The table's columns behind the result's; false where one is more than a column. */
static bool take_columns(PointQuery *point, const ScanPlan *scan)
{
    Arena *arena = point->exec->arena;
    const uint32_t count = (uint32_t)scan->base.column_count;

    point->columns = ARENA_ARRAY(arena, uint16_t, count + 1);
    point->values = ARENA_ARRAY(arena, Value, count + 1);
    point->nulls = ARENA_ARRAY(arena, bool, count + 1);
    for (uint32_t c = 0; c < count; c++) {
        int slot = (int)c;
        if (!scan->base.passes_through) {
            const Expr *target = scan->base.targets.items[c];
            if (target->kind != EXPR_SLOT)
                return false;
            slot = ((const ExprSlot *)target)->column;
        }
        if (!add_column(point, scan->scan_columns[slot]))
            return false;
    }
    return true;
}

static bool is_candidate(const ExecState *exec)
{
    const PlannedStatement *stmt = exec->stmt;
    const Plan *plan = stmt->plan;

    return stmt->point == POINT_SELECT && stmt->command == QUERY_SELECT && stmt->is_read_only &&
           plan == &stmt->point_scan->scan.base && plan->kind == PLAN_INDEX_SCAN &&
           plan->filter.length == 0 && plan->init_plans.length == 0 && stmt->subplans.length == 0;
}

PointQuery *point_query_new(ExecState *exec)
{
    if (!is_candidate(exec))
        return NULL;
    const IndexScanPlan *plan = exec->stmt->point_scan;
    PointQuery *point = ARENA_NEW(exec->arena, PointQuery);
    point->exec = exec;
    /* The tree has opened both. */
    point->table = exec_table(exec, plan->scan.relation);
    point->index = exec_index(exec, plan->scan.relation, plan->index);
    if (!point->table || !point->index) {
        error_clear();
        return NULL;
    }
    if (!take_keys(point, plan) || !take_columns(point, &plan->scan))
        return NULL;
    point->key = strbuf_in(exec->arena);
    exec_usage(exec, plan->index, &point->index_usage);
    return point;
}

/* -- Running ----------------------------------------------------------------------------------- */

/* The key's bytes. *ret_null: a value is null, which equals nothing. */
static bool make_key(PointQuery *point, bool *ret_null)
{
    *ret_null = false;
    strbuf_truncate(&point->key, 0);
    for (uint32_t k = 0; k < point->key_count; k++) {
        Value value;
        bool is_null;
        vector_get(point->key_values[k], 0, &value, &is_null);
        if (is_null) {
            *ret_null = true;
            return true;
        }
        TRY(key_append(&point->key, &point->key_columns[k], &value, false));
    }
    return true;
}

static bool give_batch(PointQuery *point, RowSink *sink)
{
    ExecState *exec = point->exec;

    if (!sink->rows)
        return true;
    if (!point->batch)
        point->batch = batch_new(exec->arena, exec->root->types, point->column_count);
    for (uint32_t c = 0; c < point->column_count; c++) {
        vector_clear_nulls(point->batch->columns[c], 1);
        vector_set(point->batch->columns[c], 0, &point->values[c], point->nulls[c]);
    }
    point->batch->row_count = 1;
    point->batch->selection = (Selection){.count = 1};
    return sink->rows(sink, &exec->description, point->batch);
}

bool point_query_run(PointQuery *point, RowSink *sink, uint64_t *ret_count)
{
    ExecState *exec = point->exec;
    Txn *txn = exec->session->catalog.txn;
    int64_t row_id;
    bool is_null;

    *ret_count = 0;
    CHECK_INTERRUPTS();
    TRY(make_key(point, &is_null));
    if (is_null)
        return true;
    usage_add(point->index_usage, USAGE_SCANS, 1);
    FetchOutcome found = txn_index_lookup(txn, &exec->snapshot, point->index->tree,
                                          strbuf_view(&point->key), &row_id);
    TRY(found);
    if (found == FETCH_NONE)
        return true;
    usage_add(point->index_usage, USAGE_ROWS_READ, 1);
    found = txn_fetch(txn, &exec->snapshot, point->table->tree, row_id, point->columns,
                      point->column_count, point->values, point->nulls, exec->run_arena);
    TRY(found);
    if (found == FETCH_NONE)
        return true;
    usage_add(point->index_usage, USAGE_ROWS_FETCHED, 1);
    *ret_count = 1;
    if (!sink)
        return true;
    return sink->row ? sink->row(sink, &exec->description, point->values, point->nulls)
                     : give_batch(point, sink);
}
