/* What nobody reads is not computed: the rows of EXISTS, columns of subqueries, columns before a
 * sort. */
#include "base/settings.h"
#include "planner/cost.h"
#include "planner/plan_internal.h"

/* A target that costs more calls than this waits for the sort when not all rows are read. */
#define EXPENSIVE_CALLS 10

/* ---- EXISTS ---- */

/* A LIMIT that lets a row through says nothing here. */
static bool limit_is_idle(const Query *query)
{
    if (!query->limit_count)
        return true;
    if (query->limit_count->kind != EXPR_CONST)
        return false;
    const ExprConst *count = EXPR_AS(const ExprConst, query->limit_count);
    return count->is_null || count->value.int64 > 0;
}

Query *plan_exists_query(const Planner *planner, Query *query)
{
    if (query->command != QUERY_SELECT || query->set_op || query->has_aggregates ||
        query->grouping_sets.length > 0 || query->has_windows || query->has_srfs || query->having ||
        query->limit_offset || query->row_marks.length > 0 || query->is_values ||
        !limit_is_idle(query))
        return query;
    Query *copy = arena_copy(planner->arena, query, sizeof(Query));
    memset(&copy->targets, 0, sizeof(copy->targets));
    memset(&copy->group_by, 0, sizeof(copy->group_by));
    memset(&copy->windows, 0, sizeof(copy->windows));
    memset(&copy->distinct, 0, sizeof(copy->distinct));
    memset(&copy->order_by, 0, sizeof(copy->order_by));
    copy->is_distinct_on = false;
    copy->limit_count = NULL;
    return copy;
}

/* ---- subqueries in FROM ---- */

static bool is_read(const ExprVec *needed, int rel, int number)
{
    for (size_t i = 0; i < needed->length; i++) {
        if (needed->items[i]->kind != EXPR_COLUMN)
            continue;
        const ExprColumn *column = EXPR_AS(const ExprColumn, needed->items[i]);
        if (column->rel == rel && column->levels_up == 0 &&
            (column->attnum == number || column->attnum <= 0))
            return true;
    }
    return false;
}

static WalkStep find_set(void *context, Expr *expr, int depth)
{
    (void)context;
    (void)depth;
    if (expr->kind == EXPR_SUB_LINK)
        return WALK_SKIP;
    return target_has_srf(expr) ? WALK_STOP : WALK_CHILDREN;
}

Query *plan_read_query(const Planner *planner, Query *query, int rel, const ExprVec *needed)
{
    Arena *arena = planner->arena;
    if (query->command != QUERY_SELECT || query->set_op || query->distinct.length > 0 ||
        query->is_values)
        return query;
    Query *copy = arena_copy(arena, query, sizeof(Query));
    copy->targets.items =
        arena_copy(arena, query->targets.items, query->targets.length * sizeof(TargetEntry));
    copy->targets.capacity = query->targets.length;
    int number = 0;
    for (size_t i = 0; i < copy->targets.length; i++) {
        TargetEntry *target = &copy->targets.items[i];
        const Expr *expr = target->expr;
        if (target->is_junk)
            continue;
        number++;
        if (target->sort_group_ref != 0 || is_read(needed, rel, number) ||
            expr->kind == EXPR_CONST || !expr_walk_deep(target->expr, 0, find_set, NULL) ||
            expr_is_volatile(planner->session, expr))
            continue;
        target->expr = expr_null(arena, expr->type, expr->typmod, expr->collation);
    }
    return copy;
}

/* ---- behind the sort ---- */

static WalkStep find_sublink(void *context, Expr *expr, int depth)
{
    (void)context;
    (void)depth;
    return expr->kind == EXPR_SUB_LINK ? WALK_STOP : WALK_CHILDREN;
}

static bool is_named(const SortVec *clauses, const TargetEntry *target)
{
    bool found = false;
    for (size_t i = 0; i < clauses->length && !found; i++)
        found = target->sort_group_ref != 0 && clauses->items[i].ref == target->sort_group_ref;
    return found;
}

/* Effects come in the order of the result's rows; what is expensive is not computed for rows that
 * a LIMIT drops. */
static bool is_late(const Level *level, const TargetEntry *target)
{
    const Query *query = level->query;
    CatalogSession *session = level->planner->session;
    if (target->is_junk || is_named(&query->order_by, target) ||
        is_named(&query->distinct, target) || target->expr->kind == EXPR_COLUMN ||
        !expr_walk_deep(target->expr, 0, find_sublink, NULL))
        return false;
    if (expr_is_volatile(session, target->expr))
        return true;
    const bool reads_few =
        query->limit_count || (!level->parent && planner_cursor_fraction(level->planner) < 1);
    return reads_few &&
           cost_of_expr(session, target->expr) > EXPENSIVE_CALLS * settings()->cpu_operator_cost;
}

typedef struct Inputs {
    Arena *arena;
    const ExprVec *from;
    ExprVec *to;
} Inputs;

static bool is_in(const ExprVec *list, const Expr *expr)
{
    bool found = false;
    for (size_t i = 0; i < list->length && !found; i++)
        found = expr_equal(list->items[i], expr);
    return found;
}

/* What an expression takes from the rows that are there. */
static bool add_inputs(void *context, Expr *expr)
{
    Inputs *inputs = context;
    if (expr->kind == EXPR_CONST || expr->kind == EXPR_PARAM || !is_in(inputs->from, expr))
        return expr_walk(expr, add_inputs, inputs);
    if (!is_in(inputs->to, expr))
        VEC_PUSH(inputs->arena, inputs->to, expr);
    return true;
}

bool plan_early_targets(const Level *level, const Tree *tree, const ExprVec *all,
                        ExprVec *ret_early)
{
    const Query *query = level->query;
    Inputs inputs = {level->planner->arena, &tree->out, ret_early};
    bool any = false;
    if (query->order_by.length == 0 || query->has_srfs || query->row_marks.length > 0 ||
        (query->distinct.length > 0 && !query->is_distinct_on))
        return false;
    for (size_t i = 0; i < all->length; i++) {
        if (i < query->targets.length && is_late(level, &query->targets.items[i]))
            any = true;
        else if (!is_in(ret_early, all->items[i]))
            VEC_PUSH(inputs.arena, ret_early, all->items[i]);
    }
    for (size_t i = 0; any && i < query->targets.length; i++)
        if (is_late(level, &query->targets.items[i]))
            (void)add_inputs(&inputs, query->targets.items[i].expr);
    return any;
}
