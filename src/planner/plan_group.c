#include <math.h>

#include "base/settings.h"
#include "planner/grouping_sets.h"
#include "planner/plan_query.h"
#include "planner/variable.h"

/*
 * GROUP BY and HAVING: groups by hashing, by sorting, or as an index gives the rows.
 */

typedef struct Gather {
    Arena *arena;
    Level *level;
    ExprKind kind;
    ExprVec *ret;
} Gather;

static WalkStep gather_visit(void *context, Expr *expr, int depth)
{
    Gather *gather = context;
    if (expr->kind != gather->kind)
        return WALK_CHILDREN;
    if (expr->kind == EXPR_AGGREGATE) {
        /* Subqueries may ask for aggregates of this level. */
        if (EXPR_AS(ExprAggregate, expr)->levels_up != depth)
            return WALK_CHILDREN;
        if (depth > 0 && !(expr = plan_own_aggregate(gather->level, expr)))
            return WALK_STOP;
    } else if (depth > 0) {
        return WALK_CHILDREN;
    }
    for (size_t i = 0; i < gather->ret->length; i++)
        if (expr_equal(gather->ret->items[i], expr))
            return WALK_SKIP;
    VEC_PUSH(gather->arena, gather->ret, expr);
    return WALK_SKIP;
}

void plan_gather_in(Level *level, Expr *expr, ExprKind kind, ExprVec *ret)
{
    Gather gather = {level->planner->arena, level, kind, ret};
    (void)expr_walk_deep(expr, 0, gather_visit, &gather);
}

bool plan_gather(Level *level, ExprKind kind, ExprVec *ret)
{
    Gather gather = {level->planner->arena, level, kind, ret};
    const Query *query = level->query;
    for (size_t i = 0; i < query->targets.length; i++)
        TRY(expr_walk_deep(query->targets.items[i].expr, 0, gather_visit, &gather));
    return expr_walk_deep(query->having, 0, gather_visit, &gather);
}

static bool fix_keys(Level *level, const SortKeyVec *keys, const ExprVec *out, SortKeyVec *ret)
{
    for (size_t i = 0; i < keys->length; i++) {
        SortKey key = keys->items[i];
        TRY(key.expr = plan_fix(level, key.expr, out, NULL));
        VEC_PUSH(level->planner->arena, ret, key);
    }
    return true;
}

/* For EXPLAIN: as it was written, but over the child's row. */
static Expr *aggregate_shown(Level *level, const ExprAggregate *source, const AggregateCall *call)
{
    ExprAggregate *shown = arena_copy(level->planner->arena, source, sizeof(*source));

    shown->args = call->args;
    shown->direct_args = call->direct_args;
    shown->order_by = call->order_by;
    shown->filter = call->filter;
    return &shown->base;
}

static bool aggregate_call(Level *level, const ExprAggregate *source, const ExprVec *out,
                           const ExprVec *groups, AggregateCall *ret)
{
    *ret = (AggregateCall){.function = source->function,
                           .result_type = source->base.type,
                           .result_typmod = source->base.typmod,
                           .input_collation = source->input_collation,
                           .collation = source->base.collation,
                           .is_distinct = source->is_distinct,
                           .is_star = source->is_star,
                           .is_variadic = source->is_variadic,
                           .is_ordered_set = source->is_ordered_set};
    TRY(plan_fix_list(level, &source->args, out, NULL, &ret->args));
    TRY(plan_fix_list(level, &source->direct_args, groups, NULL, &ret->direct_args));
    TRY(fix_keys(level, &source->order_by, out, &ret->order_by));
    if (source->filter)
        TRY(ret->filter = plan_fix(level, source->filter, out, NULL));
    ret->source = aggregate_shown(level, source, ret);
    if (source->is_distinct) {
        /* What is wanted in order comes first; the other arguments make rows comparable. */
        for (size_t i = 0; i < source->distinct.length; i++) {
            bool known = false;
            for (size_t k = 0; k < source->order_by.length; k++)
                known |= expr_equal(source->order_by.items[k].expr, source->distinct.items[i].expr);
            if (known)
                continue;
            SortKey key = source->distinct.items[i];
            TRY(key.expr = plan_fix(level, key.expr, out, NULL));
            VEC_PUSH(level->planner->arena, &ret->order_by, key);
        }
    }
    return true;
}

typedef struct Dependent {
    Arena *arena;
    ExprVec *groups;
} Dependent;

/* Columns that only depend on what is grouped (by a primary key) are group columns too. */
static WalkStep dependent_visit(void *context, Expr *expr, int depth)
{
    Dependent *dependent = context;
    if (expr->kind == EXPR_AGGREGATE && EXPR_AS(ExprAggregate, expr)->levels_up == depth)
        return WALK_SKIP;
    for (size_t i = 0; depth == 0 && i < dependent->groups->length; i++)
        if (expr_equal(dependent->groups->items[i], expr))
            return WALK_SKIP;
    if (expr->kind != EXPR_COLUMN || EXPR_AS(ExprColumn, expr)->levels_up != depth)
        return WALK_CHILDREN;
    ExprColumn *own = arena_copy(dependent->arena, expr, sizeof(ExprColumn));
    own->levels_up = 0;
    for (size_t i = 0; i < dependent->groups->length; i++)
        if (expr_equal(dependent->groups->items[i], &own->base))
            return WALK_SKIP;
    VEC_PUSH(dependent->arena, dependent->groups, &own->base);
    return WALK_SKIP;
}

static void add_dependent_groups(Level *level, ExprVec *groups)
{
    Dependent dependent = {level->planner->arena, groups};
    const Query *query = level->query;
    if (groups->length == 0)
        return;
    for (size_t i = 0; i < query->targets.length; i++)
        (void)expr_walk_deep(query->targets.items[i].expr, 0, dependent_visit, &dependent);
    (void)expr_walk_deep(query->having, 0, dependent_visit, &dependent);
}

/* The grouping sets, and what GROUPING(…) is in each of them. */
static bool plan_grouping_sets(Level *level, const ExprVec *groupings, int group_count,
                               AggregatePlan *aggregate)
{
    Arena *arena = level->planner->arena;
    const Query *query = level->query;
    GroupingSetList sets = {0};
    if (query->grouping_sets.length > 0)
        TRY(grouping_sets_expand(arena, query, &sets));
    for (size_t s = 0; s < sets.length; s++) {
        GroupingSetPlan set = {.includes = ARENA_ARRAY(arena, bool, group_count + 1),
                               .is_empty = sets.items[s].refs.length == 0};
        /* Columns beyond GROUP BY's own depend on some that are in every set. */
        for (size_t g = 0; g < (size_t)group_count; g++)
            set.includes[g] = g >= query->group_by.length ||
                              grouping_refs_include(&sets.items[s], query->group_by.items[g].ref);
        VEC_PUSH(arena, &aggregate->sets, set);
    }
    for (size_t g = 0; g < groupings->length; g++) {
        const ExprGrouping *grouping = EXPR_AS(const ExprGrouping, groupings->items[g]);
        int32_t *values = ARENA_ARRAY(arena, int32_t, sets.length + 1);
        for (size_t s = 0; s < sets.length; s++)
            for (size_t a = 0; a < grouping->refs.length; a++)
                values[s] =
                    (int32_t)((uint32_t)values[s] << 1 |
                              !grouping_refs_include(&sets.items[s], grouping->refs.items[a]));
        VEC_PUSH(arena, &aggregate->groupings, values);
    }
    return true;
}

/* With sets, the groups of each. */
static double estimate_groups(Level *level, const ExprVec *groups, const AggregatePlan *aggregate,
                              double rows)
{
    double total = 0;
    if (aggregate->sets.length == 0)
        return group_estimate(level, groups, rows);
    for (size_t s = 0; s < aggregate->sets.length; s++) {
        ExprVec some = {0};
        for (size_t i = 0; i < groups->length; i++)
            if (aggregate->sets.items[s].includes[i])
                VEC_PUSH(level->planner->arena, &some, groups->items[i]);
        total += group_estimate(level, &some, rows);
    }
    return total;
}

static double calls_cost(Level *level, const ExprVec *calls)
{
    double cost = 0;
    for (size_t i = 0; i < calls->length; i++) {
        const ExprAggregate *call = EXPR_AS(const ExprAggregate, calls->items[i]);
        cost += settings()->cpu_operator_cost + cost_of_list(level->planner->session, &call->args);
    }
    return cost;
}

/* How the groups are found: as the rows come, by sorting them, or by hashing. */
typedef struct GroupChoice {
    const Path *path;
    AggregateStrategy strategy;
    Cost cost;
    double groups;
} GroupChoice;

static void offer_groups(Level *level, GroupChoice *best, GroupChoice choice, bool is_sorted)
{
    const Query *query = level->query;
    Cost compared = choice.cost;
    if (query->order_by.length > 0 && !is_sorted)
        compared = cost_sort(compared, choice.groups, 32,
                             isinf(level->group_limit) ? 0 : level->group_limit);
    const double fraction = isinf(level->group_limit) ? 1 : level->group_limit / choice.groups;
    /* As good as equal: rather in order, and from the first row on. */
    if (!best->path || cost_at(compared, fraction) < cost_at(best->cost, fraction) * 1.0001) {
        *best = choice;
        best->cost = compared;
    }
}

static bool any_volatile(const Level *level, const ExprVec *exprs)
{
    for (size_t i = 0; i < exprs->length; i++)
        if (expr_is_volatile(level->planner->session, exprs->items[i]))
            return true;
    return false;
}

static void choose_groups(Level *level, const FromPaths *paths, const GroupWork *work,
                          bool hashable, GroupChoice *ret)
{
    const Path *cheapest = paths->set.cheapest, *ordered = paths->set.ordered;
    const Path *partial = paths->set.partial;
    const bool has_sets = level->query->grouping_sets.length > 0;
    GroupChoice choice = {.path = cheapest, .groups = work->groups};
    SortVec merged = {0};

    *ret = (GroupChoice){0};
    plan_merged_order(level, &level->query->group_by, &merged);
    bool is_sorted = level->query->order_by.length <= merged.length;
    for (size_t i = 0; is_sorted && i < level->query->order_by.length; i++)
        is_sorted = merged.items[i].ref == level->query->order_by.items[i].ref;
    if (work->columns == 0) {
        choice.strategy = AGGREGATE_PLAIN;
        *ret = choice;
        return;
    }
    if (hashable || has_sets) {
        choice.strategy = AGGREGATE_HASHED;
        choice.cost = cost_group(cheapest->cost, work, true);
        offer_groups(level, ret, choice, false);
    }
    /* The sort and the grouping compute the expressions each for itself. */
    if (has_sets || (hashable && work->is_volatile))
        return;
    choice.strategy = AGGREGATE_SORTED;
    choice.cost = cost_group(cost_sort(cheapest->cost, work->rows, work->width, 0), work, false);
    offer_groups(level, ret, choice, is_sorted);
    if (partial) {
        choice.path = partial;
        choice.cost = cost_group(path_sorted_cost(level, partial, 0), work, false);
        offer_groups(level, ret, choice, is_sorted);
    }
    if (!ordered)
        return;
    choice.path = ordered;
    GroupWork in_order = *work;
    in_order.rows = ordered->rows;
    choice.cost = cost_group(ordered->cost, &in_order, false);
    offer_groups(level, ret, choice, is_sorted);
}

bool plan_grouping(Level *level, const FromPaths *paths, Tree *tree)
{
    Arena *arena = level->planner->arena;
    Query *query = level->query;
    AggregatePlan *aggregate = PLAN_NEW(level, AggregatePlan, PLAN_AGGREGATE);
    ExprVec groups = {0}, calls = {0}, groupings = {0}, out = {0}, targets = {0};
    SortKeyVec keys = {0};
    SortVec order = {0};
    bool hashable = true;

    for (size_t i = 0; i < query->group_by.length; i++) {
        const SortClause *clause = &query->group_by.items[i];
        Expr *group = query_target_by_ref(query, clause->ref)->expr;
        hashable &= clause->is_hashable;
        VEC_PUSH(arena, &groups, group);
    }
    add_dependent_groups(level, &groups);
    for (size_t i = 0; i < groups.length; i++)
        VEC_PUSH(arena, &out, groups.items[i]);
    TRY(plan_gather(level, EXPR_AGGREGATE, &calls));
    plan_gather(level, EXPR_GROUPING, &groupings);
    const GroupWork work = {.rows = paths->set.cheapest->rows,
                            .width = paths->set.cheapest->width,
                            .columns = (int)groups.length,
                            .is_volatile = any_volatile(level, &groups),
                            .call_cost = calls_cost(level, &calls),
                            .groups = group_estimate(level, &groups, paths->set.rows)};
    GroupChoice choice;
    choose_groups(level, paths, &work, hashable, &choice);
    TRY(paths_build(level, paths, choice.path, tree));
    TRY(plan_fix_list(level, &groups, &tree->out, NULL, &aggregate->group_by));
    for (size_t i = 0; i < calls.length; i++) {
        AggregateCall call;
        TRY(aggregate_call(level, EXPR_AS(const ExprAggregate, calls.items[i]), &tree->out, &groups,
                           &call));
        VEC_PUSH(arena, &aggregate->calls, call);
        VEC_PUSH(arena, &out, calls.items[i]);
    }
    TRY(plan_grouping_sets(level, &groupings, (int)groups.length, aggregate));
    for (size_t i = 0; i < groupings.length; i++)
        VEC_PUSH(arena, &out, groupings.items[i]);
    Plan *child = tree->plan;
    const double group_count = estimate_groups(level, &groups, aggregate, child->rows);
    aggregate->strategy = choice.strategy;
    if (choice.strategy == AGGREGATE_SORTED) {
        SortVec merged = {0};
        plan_merged_order(level, &query->group_by, &merged);
        TRY(plan_sort_keys(level, &merged, &tree->out, &keys));
        child = plan_add_sort(level, child, &keys, plan_presorted(level, tree, &merged), 0);
        order = merged;
    }
    aggregate->group_count = group_count;
    aggregate->base.left = child;
    aggregate->base.rows = aggregate->strategy == AGGREGATE_PLAIN ? 1 : rint(group_count);
    Cost cost = plan_cost(child);
    if (aggregate->strategy == AGGREGATE_PLAIN) {
        cost.total += child->rows * work.call_cost + settings()->cpu_tuple_cost;
        cost.startup = cost.total - settings()->cpu_tuple_cost;
    } else {
        const GroupWork done = {.rows = child->rows,
                                .width = child->width,
                                .columns = work.columns,
                                .call_cost = work.call_cost,
                                .groups = group_count};
        cost = cost_group(cost, &done, aggregate->strategy == AGGREGATE_HASHED);
    }
    plan_set_cost(&aggregate->base, cost);
    TRY(plan_fix_list(level, &out, &out, NULL, &targets));
    plan_set_targets(level, &aggregate->base, &targets);
    ExprVec having = {0};
    plan_split_and(arena, query->having, &having);
    TRY(plan_fix_list(level, &having, &out, NULL, &aggregate->base.filter));
    aggregate->base.rows = MAX(1, rint(aggregate->base.rows * selectivity_list(level, &having)));
    tree->plan = &aggregate->base;
    tree->out = out;
    tree->order = order;
    tree->rel = 0;
    return true;
}
