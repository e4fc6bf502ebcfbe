#include "executor/node.h"

#include "base/os.h"
#include "base/scheduler.h"
#include "base/settings.h"
#include "executor/expr.h"

#define STACK_RESERVE 24576

size_t exec_work_mem(void)
{
    return (size_t)settings()->work_mem * 1024;
}

size_t exec_hash_mem(void)
{
    return (size_t)((double)exec_work_mem() * settings()->hash_mem_multiplier);
}

static const NodeMethods *methods_of(const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_RESULT:
        return &node_result_methods;
    case PLAN_SEQ_SCAN:
        return &node_seq_scan_methods;
    case PLAN_INDEX_SCAN:
    case PLAN_INDEX_ONLY_SCAN:
        return &node_index_scan_methods;
    case PLAN_ROW_ID_SCAN:
        return &node_row_id_scan_methods;
    case PLAN_VALUES_SCAN:
        return &node_values_scan_methods;
    case PLAN_FUNCTION_SCAN:
        return &node_function_scan_methods;
    case PLAN_SUBQUERY_SCAN:
        return &node_subquery_scan_methods;
    case PLAN_CTE_SCAN:
        return &node_cte_scan_methods;
    case PLAN_WORK_TABLE_SCAN:
        return &node_work_table_scan_methods;
    case PLAN_RECURSIVE_UNION:
        return &node_recursive_union_methods;
    case PLAN_PROJECT_SET:
        return &node_project_set_methods;
    case PLAN_NEST_LOOP:
        return &node_nest_loop_methods;
    case PLAN_HASH_JOIN:
        return &node_hash_join_methods;
    case PLAN_AGGREGATE:
        return &node_aggregate_methods;
    case PLAN_SORT:
        return ((const SortPlan *)plan)->presorted > 0 ? &node_incremental_sort_methods
                                                       : &node_sort_methods;
    case PLAN_TOP_N:
        return &node_top_n_methods;
    case PLAN_LIMIT:
        return &node_limit_methods;
    case PLAN_UNIQUE:
        return &node_unique_methods;
    case PLAN_APPEND:
        return &node_append_methods;
    case PLAN_SET_OP:
        return &node_set_op_methods;
    case PLAN_MATERIAL:
        return &node_material_methods;
    case PLAN_WINDOW:
        return &node_window_methods;
    case PLAN_LOCK_ROWS:
        return &node_lock_rows_methods;
    case PLAN_MODIFY:
        return &node_modify_methods;
    }
    return NULL;
}

PhysType *plan_types(Arena *arena, const Plan *plan)
{
    PhysType *types = ARENA_ARRAY(arena, PhysType, plan->column_count + 1);
    for (int c = 0; c < plan->column_count; c++)
        types[c] = type_phys(plan->columns[c].type);
    return types;
}

NodeState *node_new(ExecState *exec, const Plan *plan)
{
    if (task_stack_left() < STACK_RESERVE)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    const NodeMethods *methods = methods_of(plan);
    if (!methods)
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("unknown plan node %d", (int)plan->kind));
    NodeState *node = arena_alloc_zeroed(exec->arena, methods->size);
    node->plan = plan;
    node->methods = methods;
    node->exec = exec;
    node->types = plan_types(exec->arena, plan);
    /* Known before init: a failure half-way still stops what is there. */
    exec->nodes[plan->id] = node;
    VEC_PUSH(exec->arena, &exec->made, node);
    node->scratch = arena_new("node");
    if (plan->left)
        TRY(node->left = node_new(exec, plan->left));
    if (plan->right)
        TRY(node->right = node_new(exec, plan->right));
    TRY(methods->init(node));
    return node;
}

static bool node_next_counted(NodeState *node, Batch **ret_batch)
{
    TRY(node->methods->next(node, ret_batch));
    if (*ret_batch)
        node->instrument->rows += (*ret_batch)->selection.count;
    return true;
}

bool node_next_timed(NodeState *node, Batch **ret_batch)
{
    NodeInstrument *instrument = node->instrument;
    if (instrument->loops == 0)
        instrument->loops = 1;
    if (!node->exec->instrument_timing)
        return node_next_counted(node, ret_batch);
    int64_t before = os->monotonic();
    bool first = instrument->total_time == 0;
    bool done = node_next_counted(node, ret_batch);
    int64_t spent = os->monotonic() - before;
    if (first)
        instrument->startup_time += spent;
    instrument->total_time += spent;
    return done;
}

bool node_rewind(NodeState *node)
{
    if (!node->started)
        return true;
    if (node->instrument)
        node->instrument->loops++;
    if (node->methods->rewind)
        return node->methods->rewind(node);
    if (node->left)
        TRY(node_rewind(node->left));
    if (node->right)
        TRY(node_rewind(node->right));
    for (uint32_t i = 0; i < node->child_count; i++)
        TRY(node_rewind(node->children[i]));
    return true;
}

void node_stop(NodeState *node)
{
    if (node->methods->stop)
        node->methods->stop(node);
    node->started = false;
    node->filled_clock = 0;
}

bool node_is_stale(const NodeState *node)
{
    const ExecState *exec = node->exec;
    for (size_t i = 0; i < node->plan->depends_on.length; i++)
        if (exec->params[node->plan->depends_on.items[i]].changed_at > node->filled_clock)
            return true;
    return false;
}

void node_fill_mark(NodeState *node)
{
    node->filled_clock = node->exec->param_clock;
}

bool node_init_projection(NodeState *node)
{
    const Plan *plan = node->plan;
    ExecState *exec = node->exec;
    if (plan->filter.length > 0) {
        node->filter =
            expr_compile(exec, node->scratch, plan->filter.items, (uint32_t)plan->filter.length);
        TRY(node->filter);
    }
    if (!plan->passes_through) {
        node->targets =
            expr_compile(exec, node->scratch, plan->targets.items, (uint32_t)plan->targets.length);
        TRY(node->targets);
    }
    return true;
}

bool node_project(NodeState *node, const ExprInput *input, Selection selection, Batch **ret_batch)
{
    *ret_batch = NULL;
    node->exec->batch_count++;
    if (node->filter) {
        if (!node->rows)
            node->rows = arena_alloc(node->exec->arena, VECTOR_SIZE * sizeof(uint16_t));
        uint32_t before = selection.count;
        TRY(expr_filter(node->filter, input, selection, node->rows, &selection));
        if (node->instrument)
            node->instrument->rows_removed += before - selection.count;
    }
    if (selection.count == 0)
        return true;
    Batch *output = &node->output;
    output->row_count = input->row_count;
    output->selection = selection;
    output->column_count = (uint32_t)node->plan->column_count;
    if (node->targets) {
        TRY(expr_run(node->targets, input, selection));
        output->columns = node->targets->results;
    } else {
        output->columns = (Vector **)input->slots[0];
    }
    *ret_batch = output;
    return true;
}
