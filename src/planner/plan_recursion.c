#include <math.h>

#include "base/settings.h"
#include "planner/plan_query.h"

/*
 * WITH RECURSIVE as a union with itself. SEARCH and CYCLE add columns to both sides: rows of the
 * columns they name, one behind the other in an array (depth first, and the path of CYCLE) or the
 * last one with its depth. The recursive side reads those of the row that it came from.
 */

enum { FUNCTION_ARRAY_APPEND = 378, OPERATOR_INT8_PLUS = 684 };

static Expr *slot_of(Arena *arena, const CommonTable *cte, int column)
{
    const RangeColumn *from = &cte->columns[column];
    const Expr like = {.type = from->type, .typmod = from->typmod, .collation = from->collation};
    return expr_slot(arena, 0, column, &like);
}

/* ROW(first, columns …) */
static Expr *row_of(Arena *arena, const CommonTable *cte, Expr *first, const int *columns,
                    int count)
{
    ExprRow *row = EXPR_NEW(arena, ExprRow, EXPR_ROW);
    row->base.type = TYPE_RECORD;
    row->base.typmod = -1;
    if (first)
        VEC_PUSH(arena, &row->fields, first);
    for (int i = 0; i < count; i++)
        VEC_PUSH(arena, &row->fields, slot_of(arena, cte, columns[i]));
    return &row->base;
}

static Expr *array_of(Arena *arena, Expr *row)
{
    ExprArray *array = EXPR_NEW(arena, ExprArray, EXPR_ARRAY);
    array->base.type = TYPE_RECORD_ARRAY;
    array->base.typmod = -1;
    array->element_type = TYPE_RECORD;
    VEC_PUSH(arena, &array->elements, row);
    return &array->base;
}

/* path || row */
static Expr *appended(Arena *arena, Expr *path, Expr *row)
{
    ExprFunction *call = EXPR_NEW(arena, ExprFunction, EXPR_FUNCTION);
    call->base.type = TYPE_RECORD_ARRAY;
    call->base.typmod = -1;
    call->function = FUNCTION_ARRAY_APPEND;
    VEC_PUSH(arena, &call->args, path);
    VEC_PUSH(arena, &call->args, row);
    return &call->base;
}

static Expr *operation(Level *level, Oid op, Expr *left, Expr *right)
{
    Arena *arena = level->planner->arena;
    const OperatorDesc *desc = operator_find(level->planner->session, op);
    ExprOperator *result = EXPR_NEW(arena, ExprOperator, EXPR_OPERATOR);
    result->base.type = desc->result;
    result->base.typmod = -1;
    result->op = op;
    result->function = desc->function;
    result->input_collation = left->collation;
    VEC_PUSH(arena, &result->args, left);
    VEC_PUSH(arena, &result->args, right);
    return &result->base;
}

/* Depth + 1, of the row that this one came from. */
static Expr *next_depth(Level *level, Expr *sequence)
{
    Arena *arena = level->planner->arena;
    ExprFieldSelect *depth = EXPR_NEW(arena, ExprFieldSelect, EXPR_FIELD_SELECT);
    depth->base.type = TYPE_INT8;
    depth->base.typmod = -1;
    depth->arg = sequence;
    depth->attnum = 1;
    ExprConst *one = expr_const(arena, TYPE_INT8, -1, 0, (Value){.int64 = 1}, false, 0);
    return operation(level, OPERATOR_INT8_PLUS, &depth->base, &one->base);
}

static Expr *sequence_of(Level *level, const CommonTable *cte, bool is_recursive)
{
    Arena *arena = level->planner->arena;
    const CteSearch *search = cte->search;
    Expr *before = slot_of(arena, cte, cte_own_count(cte));
    if (!search->breadth_first) {
        Expr *row = row_of(arena, cte, NULL, search->columns, search->column_count);
        return is_recursive ? appended(arena, before, row) : array_of(arena, row);
    }
    Expr *zero = &expr_const(arena, TYPE_INT8, -1, 0, (Value){0}, false, 0)->base;
    Expr *depth = is_recursive ? next_depth(level, before) : zero;
    return row_of(arena, cte, depth, search->columns, search->column_count);
}

/* Whether the row is in its path already. */
static Expr *mark_of(Level *level, const CommonTable *cte, Expr *row, Expr *path)
{
    Arena *arena = level->planner->arena;
    const Oid equal = type_operators(level->planner->session, TYPE_RECORD)->equal;
    ExprScalarArray *seen = EXPR_NEW(arena, ExprScalarArray, EXPR_SCALAR_ARRAY);
    seen->base.type = TYPE_BOOL;
    seen->base.typmod = -1;
    seen->op = equal;
    seen->function = operator_find(level->planner->session, equal)->function;
    seen->use_or = true;
    seen->left = row;
    seen->array = path;
    ExprCase *mark = EXPR_NEW(arena, ExprCase, EXPR_CASE);
    const ExprCaseWhen when = {&seen->base, cte->cycle->value};
    mark->base.type = cte->cycle->value->type;
    mark->base.typmod = -1;
    mark->base.collation = cte->cycle->value->collation;
    VEC_PUSH(arena, &mark->whens, when);
    mark->otherwise = cte->cycle->otherwise;
    mark->has_else = true;
    return &mark->base;
}

/* The plan gives the item's own columns and, on the recursive side, the earlier row's others. */
static bool add_columns(Level *level, const CommonTable *cte, Plan **plan, bool is_recursive)
{
    Arena *arena = level->planner->arena;
    const int count = cte_own_count(cte);
    ExprVec targets = {0};
    if (count == cte->column_count)
        return true;
    for (int i = 0; i < count; i++)
        VEC_PUSH(arena, &targets, slot_of(arena, cte, i));
    if (cte->search)
        VEC_PUSH(arena, &targets, sequence_of(level, cte, is_recursive));
    if (cte->cycle) {
        Expr *row = row_of(arena, cte, NULL, cte->cycle->columns, cte->cycle->column_count);
        Expr *path = slot_of(arena, cte, cte->column_count - 1);
        VEC_PUSH(arena, &targets,
                 is_recursive ? mark_of(level, cte, row, path) : cte->cycle->otherwise);
        VEC_PUSH(arena, &targets, is_recursive ? appended(arena, path, row) : array_of(arena, row));
    }
    return plan_project(level, plan, &targets);
}

static int self_reference(const Query *query, const CommonTable *cte)
{
    for (size_t i = 0; i < query->range_table.length; i++)
        if (query->range_table.items[i]->is_self_reference &&
            str_equal(query->range_table.items[i]->cte_name, cte->name))
            return (int)i + 1;
    return 0;
}

/* The item's query with a recursive side that may be changed: the plan is not the last one. */
static Query *own_query(Arena *arena, const CommonTable *cte)
{
    if (cte_own_count(cte) == cte->column_count)
        return cte->query;
    Query *query = arena_copy(arena, cte->query, sizeof(Query));
    query->range_table.items =
        arena_copy(arena, query->range_table.items,
                   query->range_table.length * sizeof(*query->range_table.items));
    RangeTableEntry **rte = &query->range_table.items[query->set_op->right->rel - 1];
    *rte = arena_copy(arena, *rte, sizeof(RangeTableEntry));
    (*rte)->subquery = arena_copy(arena, (*rte)->subquery, sizeof(Query));
    (*rte)->subquery->targets.capacity = (*rte)->subquery->targets.length;
    return query;
}

/* The recursive side, which gives the earlier row's columns too, and goes on from no cycle's end.
 */
static Plan *recursive_side(Level *level, const CommonTable *cte)
{
    Arena *arena = level->planner->arena;
    const SetOpNode *top = level->query->set_op;
    const int count = cte_own_count(cte);
    if (count == cte->column_count)
        return set_tree_plan(level, top->right, top->columns);
    Query *query = query_rte(level->query, top->right->rel)->subquery;
    const int self = self_reference(query, cte);
    if (!self)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = fmt("with a SEARCH or CYCLE clause, the recursive reference to WITH query "
                            "\"%.*s\" must be at the top level of its right-hand SELECT",
                            STR_ARGS(cte->name)));
    if (query->distinct.length > 0)
        FAIL_UNSUPPORTED("SEARCH or CYCLE with SELECT DISTINCT in the recursive term");
    SetOpNode *leaf = ARENA_NEW(arena, SetOpNode);
    *leaf = *top->right;
    leaf->columns =
        arena_copy(arena, cte->columns, sizeof(RangeColumn) * (size_t)cte->column_count);
    memcpy(leaf->columns, top->right->columns, sizeof(RangeColumn) * (size_t)count);
    RangeColumn *wanted =
        arena_copy(arena, leaf->columns, sizeof(RangeColumn) * (size_t)cte->column_count);
    memcpy(wanted, top->columns, sizeof(RangeColumn) * (size_t)count);
    leaf->column_count = cte->column_count;
    for (int i = count; i < cte->column_count; i++) {
        const Expr like = {.type = cte->columns[i].type,
                           .typmod = cte->columns[i].typmod,
                           .collation = cte->columns[i].collation};
        TargetEntry target = {.expr = expr_column(arena, self, i + 1, 0, &like),
                              .name = cte->columns[i].name,
                              .attnum = i + 1};
        VEC_PUSH(arena, &query->targets, target);
        if (cte->cycle && i == cte->column_count - 2) {
            Expr *ended =
                cte->cycle->is_written || target.expr->type != TYPE_BOOL
                    ? operation(level, cte->cycle->equality, target.expr, cte->cycle->value)
                    : target.expr;
            query->where = expr_and(arena, expr_not(arena, ended), query->where);
        }
    }
    return set_tree_plan(level, leaf, wanted);
}

Plan *plan_recursive(Level *level, const CommonTable *cte, size_t index)
{
    Planner *planner = level->planner;
    Level *inner = level_new(planner, level, own_query(planner->arena, cte));
    const SetOpNode *top = inner->query->set_op;
    RecursiveUnionPlan *recursive = PLAN_NEW(level, RecursiveUnionPlan, PLAN_RECURSIVE_UNION);

    TRY(level_note_relations(inner));
    TRY(plan_ctes(inner));
    recursive->work_table = planner->statement->work_table_count++;
    const Expr round = {.type = TYPE_INT8, .typmod = -1};
    recursive->param = plan_new_param(planner, &round, -1, 0);
    recursive->is_distinct = !top->is_all;
    TRY(recursive->base.left = set_tree_plan(inner, top->left, top->columns));
    TRY(add_columns(inner, cte, &recursive->base.left, false));
    level->cte_subplans.items[index] = -1;
    level->cte_work_tables.items[index] = recursive->work_table;
    level->cte_work_params.items[index] = recursive->param;
    level->cte_work_rows.items[index] =
        MAX(1, rint(recursive->base.left->rows * settings()->recursive_worktable_factor));
    TRY(recursive->base.right = recursive_side(inner, cte));
    TRY(add_columns(inner, cte, &recursive->base.right, true));
    plan_pass_through(level, &recursive->base, recursive->base.left);
    recursive->base.rows = recursive->base.left->rows + 10 * recursive->base.right->rows;
    recursive->base.total_cost =
        recursive->base.left->total_cost + 10 * recursive->base.right->total_cost;
    for (size_t i = 0; i < inner->used.length; i++)
        VEC_PUSH(planner->arena, &level->used, inner->used.items[i]);
    return &recursive->base;
}
