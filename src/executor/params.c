#include "executor/node.h"

#include "executor/expr.h"
#include "types/array.h"

void exec_param_set_value(ExecState *exec, int number, const Value *value, bool is_null)
{
    ParamState *param = &exec->params[number];
    if (!is_null)
        param->value = *value;
    param->null = is_null;
    param->vector.has_nulls = is_null;
    param->changed_at = ++exec->param_clock;
}

void exec_param_set(ExecState *exec, int number, const Vector *from, uint32_t row)
{
    Value value;
    bool is_null;
    vector_get(from, row, &value, &is_null);
    exec_param_set_value(exec, number, &value, is_null);
}

/* ---- init plans ---- */

static bool init_exists(ExecState *exec, SubplanState *sub, Value *ret, bool *ret_null)
{
    Batch *batch;
    TRY(node_next(sub->node, &batch));
    ret->boolean = batch != NULL;
    *ret_null = false;
    return true;
}

/* ARRAY(SELECT …): the first column of all rows. */
bool subplan_array_finish(ArrayBuilder *array, Value *ret)
{
    const BuiltinType *type = builtin_type(array->element_type);
    /* Arrays make one of one dimension more. */
    if (!type || type->category != 'A' || array->count == 0)
        return array_builder_finish(array, ret);
    return array_stack(array->arena, type->element, array->values, array->nulls, array->count, ret);
}

static bool init_array(ExecState *exec, SubplanState *sub, Value *ret, bool *ret_null)
{
    ArrayBuilder array;
    Oid element = sub->node->plan->columns[0].type;
    PhysType phys = type_phys(element);
    array_builder_init(&array, exec->run_arena, element);
    for (;;) {
        Batch *batch;
        TRY(node_next(sub->node, &batch));
        if (!batch)
            break;
        FOR_SELECTED (batch->selection, row) {
            Value value;
            bool is_null;
            vector_get(batch->columns[0], row, &value, &is_null);
            if (!is_null)
                value = value_copy(exec->run_arena, phys, &value);
            array_builder_add(&array, &value, is_null);
        }
    }
    *ret_null = false;
    return subplan_array_finish(&array, ret);
}

bool subplan_more_than_one(void)
{
    FAIL(ERR_CARDINALITY_VIOLATION,
         .message = STR("more than one row returned by a subquery used as an expression"));
}

/* One row at most; every parameter that names a column of this plan is set from it. */
static bool init_row(ExecState *exec, int subplan, SubplanState *sub)
{
    uint32_t count = (uint32_t)sub->node->plan->column_count;
    Value *values = ARENA_ARRAY(exec->run_arena, Value, count + 1);
    bool *nulls = ARENA_ARRAY(exec->run_arena, bool, count + 1);
    Batch *batch;
    memset(nulls, true, count);
    TRY(node_next(sub->node, &batch));
    if (batch) {
        if (batch->selection.count > 1)
            return subplan_more_than_one();
        uint32_t row = selection_row(batch->selection, 0);
        for (uint32_t c = 0; c < count; c++) {
            vector_get(batch->columns[c], row, &values[c], &nulls[c]);
            if (!nulls[c])
                values[c] = value_copy(exec->run_arena, sub->node->types[c], &values[c]);
        }
        TRY(node_next(sub->node, &batch));
        if (batch)
            return subplan_more_than_one();
    }
    for (uint32_t p = 0; p < exec->param_count; p++) {
        const ParamInfo *info = &exec->stmt->params.items[p];
        if (info->init_plan != subplan || (uint32_t)info->column >= count)
            continue;
        exec_param_set_value(exec, (int)p, &values[info->column], nulls[info->column]);
        exec->params[p].is_set = true;
    }
    return true;
}

bool exec_param_ensure(ExecState *exec, int number)
{
    ParamState *param = &exec->params[number];
    int subplan = exec->stmt->params.items[number].init_plan;
    SubplanState *sub = &exec->subplans[subplan];
    if (param->is_set && !(sub->node && node_is_stale(sub->node)))
        return true;
    if (param->is_running)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("a subquery depends on its own result"));
    TRY(sub->node);
    TRY(node_rewind(sub->node));
    node_fill_mark(sub->node);
    param->is_running = true;
    Value value = {0};
    bool is_null = false, done;
    SubLinkKind kind = sub->info->sublink;
    if (kind == SUBLINK_EXISTS)
        done = init_exists(exec, sub, &value, &is_null);
    else if (kind == SUBLINK_ARRAY)
        done = init_array(exec, sub, &value, &is_null);
    else
        done = init_row(exec, subplan, sub);
    param->is_running = false;
    TRY(done);
    if (kind == SUBLINK_EXISTS || kind == SUBLINK_ARRAY) {
        exec_param_set_value(exec, number, &value, is_null);
        param->is_set = true;
    }
    return true;
}

/* ---- subplans read by scans ---- */

bool exec_subplan_store(ExecState *exec, int subplan, RowStore **ret_store, uint64_t want_rows)
{
    while (exec->parent)
        exec = exec->parent;
    SubplanState *sub = &exec->subplans[subplan];
    NodeState *node = sub->node;
    if (!sub->store_ready) {
        row_store_init(&sub->store, exec->arena, &exec->spills, node->types,
                       (uint32_t)node->plan->column_count, exec_work_mem());
        sub->store_ready = true;
    }
    if (sub->run_at == 0 || node_is_stale(node)) {
        row_store_clear(&sub->store);
        TRY(node_rewind(node));
        node_fill_mark(node);
        sub->run_at = 1;
        sub->is_finished = false;
    }
    /* A data-modifying CTE does all its work; others give no more than is asked for. */
    if (sub->info->use == SUBPLAN_MODIFY_CTE)
        want_rows = UINT64_MAX;
    while (!sub->is_finished && sub->store.count < want_rows) {
        Batch *batch;
        TRY(node_next(node, &batch));
        /* Parameters that its own running has set are no reason to run it again. */
        node_fill_mark(node);
        if (!batch)
            sub->is_finished = true;
        else
            TRY(row_store_add_batch(&sub->store, batch));
    }
    *ret_store = &sub->store;
    return true;
}
