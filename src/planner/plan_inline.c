#include "base/scheduler.h"
#include "planner/plan_internal.h"

/*
 * WITH items that are read once (or are NOT MATERIALIZED) become subqueries where they are read, so
 * that conditions and indexes reach into them. Items that change data, refer to themselves or call
 * volatile functions stay what they are: run once, whoever reads them.
 */

typedef struct Inline {
    Planner *planner;
    const CommonTable *cte;
    int depth; /* query levels between the item's WITH and where we look */
    bool failed;
} Inline;

/* ---- which items ---- */

static WalkStep find_obstacle(void *context, Expr *expr, int depth)
{
    const Planner *planner = context;
    if (expr->kind == EXPR_AGGREGATE && EXPR_AS(ExprAggregate, expr)->levels_up > depth)
        return WALK_STOP;
    return expr_is_volatile(planner->session, expr) ? WALK_STOP : WALK_CHILDREN;
}

static bool may_inline(Planner *planner, const CommonTable *cte)
{
    if (cte->materialize == CTE_MATERIALIZE_ALWAYS || cte->is_recursive ||
        cte->reference_count == 0 || cte->query->command != QUERY_SELECT ||
        cte->query->row_marks.length > 0 || cte->query->has_modifying_cte)
        return false;
    if (cte->materialize == CTE_MATERIALIZE_DEFAULT && cte->reference_count > 1)
        return false;
    return query_walk_deep(cte->query, 0, find_obstacle, planner);
}

/* ---- putting one in ---- */

static Expr *raise_column(void *context, Expr *expr, int depth)
{
    const Inline *inlined = context;
    if (expr->kind != EXPR_COLUMN)
        return NULL;
    if (EXPR_AS(const ExprColumn, expr)->levels_up <= depth)
        return expr;
    ExprColumn *copy = arena_copy(inlined->planner->arena, expr, sizeof(ExprColumn));
    copy->levels_up += inlined->depth;
    return &copy->base;
}

typedef struct Raise {
    int depth, delta;
} Raise;

static void raise_ctes(Query *query, Raise raise);

static bool raise_in_expr(void *context, Expr *expr)
{
    const Raise *raise = context;
    if (expr->kind == EXPR_SUB_LINK)
        raise_ctes(EXPR_AS(ExprSubLink, expr)->query, (Raise){raise->depth + 1, raise->delta});
    return expr_walk(expr, raise_in_expr, context);
}

static bool raise_slot(void *context, Expr **expr)
{
    return raise_in_expr(context, *expr);
}

/* WITH items outside are so many levels further. */
static void raise_ctes(Query *query, Raise raise)
{
    for (size_t i = 0; i < query->range_table.length; i++) {
        RangeTableEntry *rte = query->range_table.items[i];
        if (rte->kind == RANGE_CTE && rte->cte_levels_up > raise.depth)
            rte->cte_levels_up += raise.delta;
        if (rte->subquery)
            raise_ctes(rte->subquery, (Raise){raise.depth + 1, raise.delta});
    }
    for (size_t i = 0; i < query->ctes.length; i++)
        raise_ctes(query->ctes.items[i]->query, (Raise){raise.depth + 1, raise.delta});
    (void)query_visit_exprs(query, raise_slot, &raise);
}

static bool replace_reads(Inline *inlined, Query *query);

static bool replace_in_expr(void *context, Expr *expr)
{
    Inline *inlined = context;
    if (expr->kind == EXPR_SUB_LINK) {
        inlined->depth++;
        inlined->failed |= !replace_reads(inlined, EXPR_AS(ExprSubLink, expr)->query);
        inlined->depth--;
    }
    return !inlined->failed && expr_walk(expr, replace_in_expr, context);
}

static bool replace_slot(void *context, Expr **expr)
{
    return replace_in_expr(context, *expr);
}

/* Every reading of the item, in this query and those inside. */
static bool replace_reads(Inline *inlined, Query *query)
{
    Arena *arena = inlined->planner->arena;
    if (task_stack_left() < 16 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    for (size_t i = 0; i < query->range_table.length; i++) {
        RangeTableEntry *rte = query->range_table.items[i];
        if (rte->kind == RANGE_CTE && rte->cte_levels_up == inlined->depth &&
            str_equal(rte->cte_name, inlined->cte->name)) {
            Query *copy = query_copy_replaced(arena, inlined->cte->query, 0, raise_column, inlined);
            TRY(copy);
            raise_ctes(copy, (Raise){0, inlined->depth});
            rte->kind = RANGE_SUBQUERY;
            rte->subquery = copy;
        } else if (rte->subquery) {
            inlined->depth++;
            const bool done = replace_reads(inlined, rte->subquery);
            inlined->depth--;
            TRY(done);
        }
    }
    for (size_t i = 0; i < query->ctes.length; i++) {
        inlined->depth++;
        const bool done = replace_reads(inlined, query->ctes.items[i]->query);
        inlined->depth--;
        TRY(done);
    }
    (void)query_visit_exprs(query, replace_slot, inlined);
    return !inlined->failed;
}

/* ---- the whole statement ---- */

static bool inline_in_expr(void *context, Expr *expr)
{
    Inline *inlined = context;
    if (expr->kind == EXPR_SUB_LINK)
        inlined->failed |= !plan_inline_ctes(inlined->planner, EXPR_AS(ExprSubLink, expr)->query);
    return !inlined->failed && expr_walk(expr, inline_in_expr, context);
}

static bool inline_slot(void *context, Expr **expr)
{
    return inline_in_expr(context, *expr);
}

bool plan_inline_ctes(Planner *planner, Query *query)
{
    Inline inner = {.planner = planner};
    if (task_stack_left() < 16 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    for (size_t i = 0; i < query->ctes.length;) {
        CommonTable *cte = query->ctes.items[i];
        TRY(plan_inline_ctes(planner, cte->query));
        if (!may_inline(planner, cte)) {
            i++;
            continue;
        }
        query->ctes.length--;
        memmove(&query->ctes.items[i], &query->ctes.items[i + 1],
                (query->ctes.length - i) * sizeof(CommonTable *));
        Inline inlined = {.planner = planner, .cte = cte};
        TRY(replace_reads(&inlined, query));
    }
    for (size_t i = 0; i < query->range_table.length; i++)
        if (query->range_table.items[i]->subquery)
            TRY(plan_inline_ctes(planner, query->range_table.items[i]->subquery));
    (void)query_visit_exprs(query, inline_slot, &inner);
    return !inner.failed;
}
