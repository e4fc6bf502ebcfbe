#include "planner/planner.h"

#include "planner/plan_internal.h"

/* ---- which params a plan depends on ---- */

typedef struct Depends {
    Planner *planner;
    uint64_t *bits; /* of the plan at hand */
    int words;
} Depends;

static void depend_plan(Depends *depends, Plan *plan, uint64_t *bits);

static void depend_param(Depends *depends, int number)
{
    if (number / 64 < depends->words)
        depends->bits[number / 64] |= (uint64_t)1 << (number % 64);
}

static bool depend_expr(void *context, Expr *expr)
{
    Depends *depends = context;
    if (expr->kind == EXPR_PARAM && EXPR_AS(ExprParam, expr)->param_kind == PARAM_EXEC) {
        depend_param(depends, EXPR_AS(ExprParam, expr)->number);
    } else if (expr->kind == EXPR_SUB_PLAN) {
        const ExprSubPlan *sub = EXPR_AS(const ExprSubPlan, expr);
        SubplanInfo *info = &depends->planner->statement->subplans.items[sub->subplan];
        uint64_t *inner = ARENA_ARRAY(depends->planner->arena, uint64_t, depends->words);
        depend_plan(depends, info->plan, inner);
        for (size_t i = 0; i < sub->param_ids.length; i++)
            inner[sub->param_ids.items[i] / 64] &= ~((uint64_t)1 << (sub->param_ids.items[i] % 64));
        for (int w = 0; w < depends->words; w++)
            depends->bits[w] |= inner[w];
    }
    return expr_walk(expr, depend_expr, depends);
}

static void depend_list(Depends *depends, const ExprVec *list)
{
    for (size_t i = 0; i < list->length; i++)
        (void)depend_expr(depends, list->items[i]);
}

static void depend_one(Depends *depends, Expr *expr)
{
    if (expr)
        (void)depend_expr(depends, expr);
}

static void depend_keys(Depends *depends, const SortKeyVec *keys)
{
    for (size_t i = 0; i < keys->length; i++)
        depend_one(depends, keys->items[i].expr);
}

static void depend_aggregate(Depends *depends, const AggregatePlan *plan)
{
    depend_list(depends, &plan->group_by);
    for (size_t i = 0; i < plan->calls.length; i++) {
        depend_list(depends, &plan->calls.items[i].args);
        depend_list(depends, &plan->calls.items[i].direct_args);
        depend_keys(depends, &plan->calls.items[i].order_by);
        depend_one(depends, plan->calls.items[i].filter);
    }
}

/* What each kind of node has beside targets and filter. */
static void depend_own(Depends *depends, const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_RESULT:
        depend_list(depends, &((const ResultPlan *)plan)->one_time_filter);
        break;
    case PLAN_INDEX_SCAN:
    case PLAN_INDEX_ONLY_SCAN: {
        const IndexScanPlan *scan = (const IndexScanPlan *)plan;
        for (size_t i = 0; i < scan->keys.length; i++) {
            depend_one(depends, scan->keys.items[i].value);
            depend_list(depends, &scan->keys.items[i].more);
        }
        break;
    }
    case PLAN_ROW_ID_SCAN:
        depend_list(depends, &((const RowIdScanPlan *)plan)->ctids);
        break;
    case PLAN_VALUES_SCAN: {
        const ValuesScanPlan *scan = (const ValuesScanPlan *)plan;
        for (size_t i = 0; i < scan->rows.length; i++)
            depend_list(depends, &scan->rows.items[i]);
        break;
    }
    case PLAN_FUNCTION_SCAN: {
        const FunctionScanPlan *scan = (const FunctionScanPlan *)plan;
        for (size_t i = 0; i < scan->functions.length; i++)
            depend_one(depends, scan->functions.items[i].call);
        break;
    }
    case PLAN_CTE_SCAN: {
        const CteScanPlan *scan = (const CteScanPlan *)plan;
        depend_plan(depends, depends->planner->statement->subplans.items[scan->subplan].plan,
                    depends->bits);
        break;
    }
    case PLAN_WORK_TABLE_SCAN:
        depend_param(depends, ((const WorkTableScanPlan *)plan)->param);
        break;
    case PLAN_NEST_LOOP:
        depend_list(depends, &((const JoinPlan *)plan)->condition);
        for (size_t i = 0; i < ((const NestLoopPlan *)plan)->params.length; i++)
            depend_one(depends, ((const NestLoopPlan *)plan)->params.items[i].value);
        break;
    case PLAN_HASH_JOIN:
        depend_list(depends, &((const JoinPlan *)plan)->condition);
        depend_list(depends, &((const HashJoinPlan *)plan)->left_keys);
        depend_list(depends, &((const HashJoinPlan *)plan)->right_keys);
        break;
    case PLAN_AGGREGATE:
        depend_aggregate(depends, (const AggregatePlan *)plan);
        break;
    case PLAN_SORT:
        depend_keys(depends, &((const SortPlan *)plan)->keys);
        break;
    case PLAN_TOP_N:
        depend_keys(depends, &((const TopNPlan *)plan)->keys);
        depend_one(depends, ((const TopNPlan *)plan)->count);
        depend_one(depends, ((const TopNPlan *)plan)->offset);
        break;
    case PLAN_LIMIT:
        depend_one(depends, ((const LimitPlan *)plan)->count);
        depend_one(depends, ((const LimitPlan *)plan)->offset);
        break;
    case PLAN_WINDOW: {
        const WindowPlan *window = (const WindowPlan *)plan;
        depend_list(depends, &window->partition_by);
        depend_keys(depends, &window->order_by);
        depend_one(depends, window->start_offset);
        depend_one(depends, window->end_offset);
        for (size_t i = 0; i < window->calls.length; i++) {
            depend_list(depends, &window->calls.items[i].args);
            depend_one(depends, window->calls.items[i].filter);
        }
        break;
    }
    default:
        break;
    }
}

static void depend_plan(Depends *depends, Plan *plan, uint64_t *bits)
{
    Arena *arena = depends->planner->arena;
    uint64_t *own = ARENA_ARRAY(arena, uint64_t, depends->words);
    uint64_t *saved = depends->bits;
    depends->bits = own;
    depend_list(depends, &plan->targets);
    depend_list(depends, &plan->filter);
    depend_own(depends, plan);
    if (plan->left)
        depend_plan(depends, plan->left, own);
    if (plan->right)
        depend_plan(depends, plan->right, own);
    if (plan->kind == PLAN_NEST_LOOP)
        for (size_t i = 0; i < ((NestLoopPlan *)plan)->params.length; i++) {
            const int number = ((NestLoopPlan *)plan)->params.items[i].number;
            own[number / 64] &= ~((uint64_t)1 << (number % 64));
        }
    if (plan->kind == PLAN_RECURSIVE_UNION) {
        const int number = ((RecursiveUnionPlan *)plan)->param;
        own[number / 64] &= ~((uint64_t)1 << (number % 64));
    }
    if (plan->kind == PLAN_APPEND)
        for (size_t i = 0; i < ((AppendPlan *)plan)->children.length; i++)
            depend_plan(depends, ((AppendPlan *)plan)->children.items[i], own);
    depends->bits = saved;
    plan->depends_on.length = 0;
    const int count = (int)depends->planner->statement->params.length;
    for (int number = 0; number < count; number++) {
        if (!(own[number / 64] & ((uint64_t)1 << (number % 64))))
            continue;
        VEC_PUSH(arena, &plan->depends_on, number);
        const int init = depends->planner->statement->params.items[number].init_plan;
        if (init < 0)
            continue;
        /* An init plan's own inputs count too. */
        uint64_t *inner = ARENA_ARRAY(arena, uint64_t, depends->words);
        depend_plan(depends, depends->planner->statement->subplans.items[init].plan, inner);
        for (int w = 0; w < depends->words; w++)
            bits[w] |= inner[w];
    }
    for (int w = 0; w < depends->words; w++)
        bits[w] |= own[w];
}

static void fill_depends(Planner *planner, Plan *plan)
{
    PlannedStatement *statement = planner->statement;
    Depends depends = {.planner = planner, .words = (int)statement->params.length / 64 + 1};
    depends.bits = ARENA_ARRAY(planner->arena, uint64_t, depends.words);
    if (statement->params.length == 0)
        return;
    depend_plan(&depends, plan, depends.bits);
    for (size_t i = 0; i < statement->subplans.length; i++)
        depend_plan(&depends, statement->subplans.items[i].plan, depends.bits);
}

/* ---- point operations ---- */

static void find_point(PlannedStatement *statement)
{
    Plan *plan = statement->plan;
    if (statement->subplans.length > 0 || statement->params.length > 0)
        return;
    Plan *scan = plan;
    PointKind kind = POINT_SELECT;
    if (plan->kind == PLAN_MODIFY) {
        const ModifyPlan *modify = (const ModifyPlan *)plan;
        kind = modify->command == QUERY_UPDATE   ? POINT_UPDATE
               : modify->command == QUERY_DELETE ? POINT_DELETE
                                                 : POINT_INSERT;
        scan = plan->left;
    }
    if (kind == POINT_INSERT) {
        if (scan->kind == PLAN_RESULT && !scan->left)
            statement->point = POINT_INSERT;
        return;
    }
    if (scan->kind != PLAN_INDEX_SCAN || !((IndexScanPlan *)scan)->is_unique_lookup)
        return;
    statement->point = kind;
    statement->point_scan = (IndexScanPlan *)scan;
}

static bool fill_result(Planner *planner, const Query *query)
{
    PlannedStatement *statement = planner->statement;
    const TargetVec *targets = query_result(query);
    int column = 0;
    for (size_t i = 0; i < targets->length; i++) {
        TargetEntry target = targets->items[i];
        if (target.is_junk)
            continue;
        VEC_PUSH(planner->arena, &statement->result, target);
        if (column < statement->plan->column_count)
            statement->plan->columns[column].name = target.name;
        column++;
    }
    return true;
}

PlannedStatement *planner_plan(Arena *arena, CatalogSession *session, Query *query,
                               const PlanOptions *options)
{
    PlannedStatement *statement = ARENA_NEW(arena, PlannedStatement);
    Planner planner = {.arena = arena,
                       .session = session,
                       .statement = statement,
                       .is_cursor = options->is_cursor};
    ExprVec out;

    statement->command = query->command;
    statement->query = query;
    if (query->command == QUERY_UTILITY)
        return statement;
    TRY(plan_inline_ctes(&planner, query));
    Level *level = level_new(&planner, NULL, query);
    TRY(statement->plan = plan_query(level, &out));
    TRY(fill_result(&planner, query));
    fill_depends(&planner, statement->plan);
    plan_order_conditions(&planner);
    statement->has_returning = query->returning.length > 0;
    statement->is_read_only = query->command == QUERY_SELECT && !statement->lock_strength &&
                              !statement->has_modifying_cte;
    statement->is_stable = true;
    find_point(statement);
    return statement;
}

bool planner_scans_backward(const Plan *plan)
{
    switch (plan->kind) {
    case PLAN_SEQ_SCAN:
    case PLAN_INDEX_SCAN:
    case PLAN_INDEX_ONLY_SCAN:
    case PLAN_VALUES_SCAN:
    case PLAN_FUNCTION_SCAN:
    case PLAN_CTE_SCAN:
    case PLAN_TOP_N:
    case PLAN_MATERIAL:
        return true;
    case PLAN_SORT:
        return ((const SortPlan *)plan)->presorted == 0;
    case PLAN_ROW_ID_SCAN:
        return !plan->left; /* rows that others find come once, as of PostgreSQL's bitmaps */
    case PLAN_RESULT:
    case PLAN_LIMIT:
    case PLAN_SUBQUERY_SCAN:
        return plan->left && planner_scans_backward(plan->left);
    case PLAN_APPEND: {
        const AppendPlan *append = (const AppendPlan *)plan;
        for (size_t i = 0; i < append->children.length; i++)
            if (!planner_scans_backward(append->children.items[i]))
                return false;
        return true;
    }
    default: /* rows that are locked come by once */
        return false;
    }
}
