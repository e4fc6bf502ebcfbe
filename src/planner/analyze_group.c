#include "planner/analyze_internal.h"
#include "planner/grouping_sets.h"
#include "planner/query_walk.h"

/*
 * The check after a level is analyzed: with grouping, every column outside aggregates must be
 * a group expression, or depend on the primary key of a table that is grouped by it.
 */
typedef struct GroupCheck {
    Scope *scope;
    Query *query;
    ExprVec groups;
    VEC(bool) in_every_set; /* by group: functional dependency needs it there */
    bool failed, in_direct_args;
} GroupCheck;

/* Column references through a join's entry become what the join's column stands for. */
static Expr *flatten_replace(void *context, Expr *expr, int depth)
{
    GroupCheck *check = context;
    if (expr->kind != EXPR_COLUMN)
        return NULL;
    const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
    if (column->levels_up != depth || column->attnum < 1)
        return expr;
    const RangeTableEntry *rte = query_rte(check->query, column->rel);
    if (rte->kind != RANGE_JOIN)
        return expr;
    Expr *inner = rte->alias_exprs.items[column->attnum - 1];
    if (depth > 0 && !(inner = expr_raise_levels(scope_arena(check->scope), inner, depth, 0)))
        return NULL;
    return expr_replace_deep(scope_arena(check->scope), inner, depth, flatten_replace, check);
}

static bool depends_on_key(GroupCheck *check, const ExprColumn *column)
{
    const RangeTableEntry *rte = query_rte(check->query, column->rel);
    if (rte->kind != RANGE_RELATION)
        return false;
    const RelationDesc *relation = relation_find(scope_session(check->scope), rte->relation);
    const IndexDesc *key = relation ? relation_primary_key(relation) : NULL;
    if (!key || !key->is_immediate)
        return false;
    for (int k = 0; k < key->key_count; k++) {
        bool grouped = false;
        for (size_t g = 0; g < check->groups.length && !grouped; g++) {
            const Expr *group = check->groups.items[g];
            if (group->kind != EXPR_COLUMN || !check->in_every_set.items[g])
                continue;
            const ExprColumn *other = EXPR_AS(const ExprColumn, group);
            grouped = other->rel == column->rel && other->levels_up == 0 &&
                      other->attnum == key->columns[k].attnum;
        }
        if (!grouped)
            return false;
    }
    VEC_PUSH(scope_arena(check->scope), &check->query->key_constraints, key->constraint);
    return true;
}

static bool fail_ungrouped(GroupCheck *check, const ExprColumn *column, int depth)
{
    const RangeTableEntry *rte = query_rte(check->query, column->rel);
    Str name = STR("*");
    if (column->attnum > 0)
        name = rte->columns[column->attnum - 1].name;
    else if (column->attnum < 0)
        name = system_column_at(column->attnum)->name;
    if (depth == 0)
        FAIL(ERR_GROUPING_ERROR,
             .message = fmt("column \"%.*s.%.*s\" must appear in the GROUP BY clause or be used in "
                            "an aggregate function",
                            STR_ARGS(rte->name), STR_ARGS(name)),
             .detail = check->in_direct_args
                           ? STR("Direct arguments of an ordered-set aggregate must use only "
                                 "grouped columns.")
                           : STR_NONE,
             .position = column->base.position);
    FAIL(ERR_GROUPING_ERROR,
         .message = fmt("subquery uses ungrouped column \"%.*s.%.*s\" from outer query",
                        STR_ARGS(rte->name), STR_ARGS(name)),
         .position = column->base.position);
}

static WalkStep check_ungrouped(void *context, Expr *expr, int depth)
{
    GroupCheck *check = context;

    if (expr->kind == EXPR_CONST || expr->kind == EXPR_PARAM)
        return WALK_SKIP;
    if (expr->kind == EXPR_AGGREGATE) {
        const ExprAggregate *aggregate = EXPR_AS(const ExprAggregate, expr);
        if (aggregate->levels_up == depth) {
            check->in_direct_args = true;
            for (size_t i = 0; i < aggregate->direct_args.length; i++)
                if (!expr_walk_deep(aggregate->direct_args.items[i], depth, check_ungrouped, check))
                    return WALK_STOP;
            check->in_direct_args = false;
            return WALK_SKIP;
        }
        if (aggregate->levels_up > depth)
            return WALK_SKIP;
    }
    if (expr->kind == EXPR_GROUPING)
        return WALK_SKIP;
    if (depth == 0)
        for (size_t i = 0; i < check->groups.length; i++)
            if (expr_equal(expr, check->groups.items[i]))
                return WALK_SKIP;
    if (expr->kind != EXPR_COLUMN)
        return WALK_CHILDREN;
    const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
    if (column->levels_up != depth)
        return WALK_SKIP;
    for (size_t i = 0; i < check->groups.length; i++) {
        const Expr *group = check->groups.items[i];
        if (group->kind != EXPR_COLUMN)
            continue;
        const ExprColumn *other = EXPR_AS(const ExprColumn, group);
        if (other->rel == column->rel && other->attnum == column->attnum && other->levels_up == 0)
            return WALK_SKIP;
    }
    if (depends_on_key(check, column))
        return WALK_SKIP;
    if (!fail_ungrouped(check, column, depth))
        check->failed = true;
    return WALK_STOP;
}

/* GROUPING's arguments are group expressions: their numbers. */
static WalkStep resolve_grouping(void *context, Expr *expr, int depth)
{
    GroupCheck *check = context;
    if (expr->kind != EXPR_GROUPING || EXPR_AS(ExprGrouping, expr)->levels_up != depth)
        return WALK_CHILDREN;
    ExprGrouping *grouping = EXPR_AS(ExprGrouping, expr);
    grouping->refs.length = 0;
    for (size_t a = 0; a < grouping->args.length; a++) {
        Expr *arg = expr_replace_deep(scope_arena(check->scope), grouping->args.items[a], depth,
                                      flatten_replace, check);
        size_t g = 0;
        if (!arg)
            return WALK_STOP;
        while (g < check->groups.length && (depth > 0 || !expr_equal(arg, check->groups.items[g])))
            g++;
        if (g == check->groups.length) {
            ERROR_SET(ERR_GROUPING_ERROR,
                      .message = STR("arguments to GROUPING must be grouping expressions of the "
                                     "associated query level"),
                      .position = expr_location(grouping->args.items[a]));
            check->failed = true;
            return WALK_STOP;
        }
        VEC_PUSH(scope_arena(check->scope), &grouping->refs, check->query->group_by.items[g].ref);
    }
    return WALK_SKIP;
}

static bool check_expr(GroupCheck *check, Expr *expr)
{
    TRY(expr_walk_deep(expr, 0, resolve_grouping, check));
    Expr *flat = expr_replace_deep(scope_arena(check->scope), expr, 0, flatten_replace, check);
    TRY(flat);
    return expr_walk_deep(flat, 0, check_ungrouped, check);
}

/* Which groups are in every grouping set. */
static bool find_common(GroupCheck *check)
{
    Arena *arena = scope_arena(check->scope);
    const Query *query = check->query;
    GroupingSetList sets = {0};
    if (query->grouping_sets.length > 0)
        TRY(grouping_sets_expand(arena, query, &sets));
    for (size_t g = 0; g < query->group_by.length; g++) {
        bool in_all = true;
        for (size_t s = 0; s < sets.length; s++)
            in_all &= grouping_refs_include(&sets.items[s], query->group_by.items[g].ref);
        VEC_PUSH(arena, &check->in_every_set, in_all);
    }
    return true;
}

/* What a round adds must not hang on the whole of the round before. */
static bool check_recursive_term(const Query *query)
{
    bool is_recursive = false;
    int position = 0;
    for (size_t i = 0; i < query->range_table.length; i++)
        is_recursive |= query->range_table.items[i]->is_self_reference;
    if (!is_recursive || !query->has_aggregates)
        return true;
    for (size_t i = 0; i < query->targets.length && position == 0; i++)
        if (expr_has_aggregate(query->targets.items[i].expr, 0))
            position = expr_aggregate_position(query->targets.items[i].expr, 0);
    if (position == 0 && query->having && expr_has_aggregate(query->having, 0))
        position = expr_aggregate_position(query->having, 0);
    FAIL(ERR_INVALID_RECURSION,
         .message = STR("aggregate functions are not allowed in a recursive query's recursive "
                        "term"),
         .position = position);
}

bool check_aggregates(Scope *scope)
{
    Query *query = scope->query;
    GroupCheck check = {.scope = scope, .query = query};
    TRY(check_recursive_term(query));

    if (!query_is_grouped(query))
        return true;
    TRY(find_common(&check));
    for (size_t i = 0; i < query->group_by.length; i++) {
        Expr *group = query_target_by_ref(query, query->group_by.items[i].ref)->expr;
        if (expr_has_aggregate(group, 0))
            FAIL(ERR_GROUPING_ERROR,
                 .message = STR("aggregate functions are not allowed in GROUP BY"),
                 .position = expr_aggregate_position(group, 0));
        if (expr_has_window(group))
            FAIL(ERR_WINDOWING_ERROR,
                 .message = STR("window functions are not allowed in GROUP BY"),
                 .position = expr_window_position(group));
        TRY(group = expr_replace_deep(scope_arena(scope), group, 0, flatten_replace, &check));
        VEC_PUSH(scope_arena(scope), &check.groups, group);
    }
    for (size_t i = 0; i < query->targets.length; i++)
        TRY(check_expr(&check, query->targets.items[i].expr));
    if (query->having)
        TRY(check_expr(&check, query->having));
    for (size_t i = 0; i < query->windows.length; i++) {
        if (query->windows.items[i]->start_offset)
            TRY(check_expr(&check, query->windows.items[i]->start_offset));
        if (query->windows.items[i]->end_offset)
            TRY(check_expr(&check, query->windows.items[i]->end_offset));
    }
    return true;
}
