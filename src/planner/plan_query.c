#include <math.h>

#include "base/scheduler.h"
#include "planner/grouping_sets.h"
#include "planner/plan_internal.h"

Level *level_new(Planner *planner, Level *parent, Query *query)
{
    Level *level = ARENA_NEW(planner->arena, Level);
    level->planner = planner;
    level->parent = parent;
    level->query = query;
    level->number = planner->level_count++;
    return level;
}

int level_scan_number(const Level *level, int rel)
{
    return level->number * 65536 + rel;
}

int plan_add_subplan(Planner *planner, Plan *plan, SubplanUse use, SubLinkKind sublink, Str name)
{
    const SubplanInfo info = {.plan = plan, .use = use, .sublink = sublink, .name = name};
    VEC_PUSH(planner->arena, &planner->statement->subplans, info);
    return (int)planner->statement->subplans.length - 1;
}

/* ---- preparing expressions ---- */

static bool prepare_expr(void *context, Expr **expr)
{
    Level *level = context;
    TRY(*expr = plan_flatten_joins(level, *expr));
    TRY(*expr = plan_fold(level->planner, *expr));
    return true;
}

static bool note_relations(Level *level)
{
    Planner *planner = level->planner;
    const Query *query = level->query;
    for (size_t i = 0; i < query->range_table.length; i++) {
        const RangeTableEntry *rte = query->range_table.items[i];
        if (!rte->relation || rte->is_excluded)
            continue;
        PlanRelation relation = {.relation = rte->relation,
                                 .access = rte->access,
                                 .check_as = rte->check_as,
                                 .selected_columns = rte->selected_columns,
                                 .modified_columns = rte->modified_columns,
                                 .bitmap_words = rte->bitmap_words,
                                 .selects_whole_row = rte->selects_whole_row};
        relation.is_target = (int)i + 1 == query->result_rel;
        for (size_t m = 0; m < query->row_marks.length; m++) {
            if (query->row_marks.items[m].rel != (int)i + 1)
                continue;
            relation.is_locked = true;
            if (!planner->statement->lock_strength)
                planner->statement->lock_strength = query->row_marks.items[m].strength;
        }
        VEC_PUSH(planner->arena, &planner->statement->relations, relation);
    }
    return true;
}

/* ---- sort, limit, distinct ---- */

static bool sort_keys(Level *level, const SortVec *clauses, const ExprVec *out, SortKeyVec *ret)
{
    for (size_t i = 0; i < clauses->length; i++) {
        const SortClause *clause = &clauses->items[i];
        const TargetEntry *target = query_target_by_ref(level->query, clause->ref);
        SortKey key = {.sort_op = clause->sort_op,
                       .equal_op = clause->equal_op,
                       .collation = target->expr->collation,
                       .is_descending = clause->is_descending,
                       .nulls_first = clause->nulls_first};
        TRY(key.expr = plan_fix(level, target->expr, out, NULL));
        VEC_PUSH(level->planner->arena, ret, key);
    }
    return true;
}

static double sort_cost(double rows)
{
    return rows * (rows > 1 ? log2(rows) : 1) * 0.005;
}

static Plan *add_sort(Level *level, Plan *child, const SortKeyVec *keys)
{
    if (keys->length == 0)
        return child;
    SortPlan *sort = PLAN_NEW(level, SortPlan, PLAN_SORT);
    plan_pass_through(level, &sort->base, child);
    sort->base.left = child;
    sort->keys = *keys;
    sort->base.startup_cost = child->total_cost + sort_cost(child->rows);
    sort->base.total_cost = sort->base.startup_cost + child->rows * 0.0025;
    return &sort->base;
}

static bool const_count(const Expr *expr, double *ret)
{
    if (!expr || expr->kind != EXPR_CONST)
        return false;
    *ret = EXPR_AS(const ExprConst, expr)->is_null
               ? 1e18
               : (double)EXPR_AS(const ExprConst, expr)->value.int64;
    return true;
}

static double limited_rows(double rows, const Expr *count, const Expr *offset)
{
    double n = rows, skip = 0;
    if (count && !const_count(count, &n))
        n = rows * 0.1;
    if (offset && !const_count(offset, &skip))
        skip = rows * 0.1;
    return MAX(1, MIN(rows - skip, n));
}

static Plan *plan_limit(Level *level, Plan *plan, const SortKeyVec *keys, bool *ret_sorted)
{
    const Query *query = level->query;
    Expr *count = NULL, *offset = NULL;
    if (query->limit_count)
        TRY(count = plan_fix(level, query->limit_count, NULL, NULL));
    if (query->limit_offset)
        TRY(offset = plan_fix(level, query->limit_offset, NULL, NULL));
    const bool with_ties = query->limit_option == LIMIT_OPTION_WITH_TIES;
    const double rows = limited_rows(plan->rows, count, offset);
    const bool is_null_count =
        count && count->kind == EXPR_CONST && EXPR_AS(ExprConst, count)->is_null;

    if (count && !is_null_count && keys->length > 0 && !*ret_sorted) {
        TopNPlan *top = PLAN_NEW(level, TopNPlan, PLAN_TOP_N);
        plan_pass_through(level, &top->base, plan);
        top->base.left = plan;
        top->keys = *keys;
        top->count = count;
        top->offset = offset;
        top->with_ties = with_ties;
        top->base.startup_cost = plan->total_cost + plan->rows * 0.0025 * log2(rows + 2);
        top->base.total_cost = top->base.startup_cost + rows * 0.0025;
        top->base.rows = rows;
        *ret_sorted = true;
        return &top->base;
    }
    if (!*ret_sorted)
        plan = add_sort(level, plan, keys);
    *ret_sorted = true;
    LimitPlan *limit = PLAN_NEW(level, LimitPlan, PLAN_LIMIT);
    plan_pass_through(level, &limit->base, plan);
    limit->base.left = plan;
    limit->count = count;
    limit->offset = offset;
    limit->with_ties = with_ties;
    limit->tie_keys = *keys;
    const double fraction = plan->rows > 0 ? MIN(1, rows / plan->rows) : 1;
    limit->base.total_cost =
        plan->startup_cost + (plan->total_cost - plan->startup_cost) * fraction;
    limit->base.rows = rows;
    return &limit->base;
}

static Plan *hash_distinct(Level *level, Plan *child, int column_count)
{
    AggregatePlan *aggregate = PLAN_NEW(level, AggregatePlan, PLAN_AGGREGATE);
    ExprVec targets = {0};
    Arena *arena = level->planner->arena;
    aggregate->strategy = AGGREGATE_HASHED;
    for (int i = 0; i < child->column_count; i++) {
        const Expr like = {.type = child->columns[i].type,
                           .typmod = child->columns[i].typmod,
                           .collation = child->columns[i].collation};
        if (i >= column_count)
            break;
        VEC_PUSH(arena, &aggregate->group_by, expr_slot(arena, 0, i, &like));
        VEC_PUSH(arena, &targets, expr_slot(arena, 0, i, &like));
    }
    aggregate->base.left = child;
    plan_set_targets(level, &aggregate->base, &targets);
    aggregate->group_count = aggregate->base.rows = MAX(1, MIN(child->rows, child->rows * 0.5));
    aggregate->base.startup_cost = child->total_cost + child->rows * 0.015;
    aggregate->base.total_cost = aggregate->base.startup_cost + aggregate->base.rows * 0.01;
    return &aggregate->base;
}

static Plan *plan_distinct(Level *level, Plan *plan, const ExprVec *out, bool *ret_sorted,
                           SortKeyVec *order)
{
    const Query *query = level->query;
    bool hashable = !query->is_distinct_on;
    int visible = 0;
    for (size_t i = 0; i < query->distinct.length; i++)
        hashable &= query->distinct.items[i].is_hashable;
    for (size_t i = 0; i < query->targets.length; i++)
        visible += !query->targets.items[i].is_junk;
    if (hashable && query->distinct.length == (size_t)visible)
        return hash_distinct(level, plan, visible);

    /* Sorted on the distinct columns first, then on what else is ordered by. */
    SortKeyVec keys = {0};
    TRY(sort_keys(level, &query->distinct, out, &keys));
    UniquePlan *unique = PLAN_NEW(level, UniquePlan, PLAN_UNIQUE);
    for (size_t i = 0; i < keys.length; i++)
        VEC_PUSH(level->planner->arena, &unique->key_columns,
                 EXPR_AS(ExprSlot, keys.items[i].expr)->column);
    if (order->length >= keys.length) {
        plan = add_sort(level, plan, order);
        *ret_sorted = true;
    } else {
        plan = add_sort(level, plan, &keys);
    }
    plan_pass_through(level, &unique->base, plan);
    unique->base.left = plan;
    unique->base.rows = MAX(1, plan->rows * 0.5);
    return &unique->base;
}

/* ---- grouping ---- */

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

static bool gather_all(Level *level, ExprKind kind, ExprVec *ret)
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
                           .is_ordered_set = source->is_ordered_set,
                           .source = (Expr *)(uintptr_t)source};
    TRY(plan_fix_list(level, &source->args, out, NULL, &ret->args));
    TRY(plan_fix_list(level, &source->direct_args, groups, NULL, &ret->direct_args));
    TRY(fix_keys(level, &source->order_by, out, &ret->order_by));
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
    if (source->filter)
        TRY(ret->filter = plan_fix(level, source->filter, out, NULL));
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
    for (size_t s = 0; s < MAX(aggregate->sets.length, (size_t)1); s++) {
        double count = 1;
        for (size_t i = 0; i < groups->length; i++)
            if (aggregate->sets.length == 0 || aggregate->sets.items[s].includes[i])
                count *= distinct_values(level, groups->items[i], rows);
        total += MAX(1, MIN(count, rows));
    }
    return total;
}

static bool plan_grouping(Level *level, Tree *tree)
{
    Arena *arena = level->planner->arena;
    Query *query = level->query;
    AggregatePlan *aggregate = PLAN_NEW(level, AggregatePlan, PLAN_AGGREGATE);
    ExprVec groups = {0}, calls = {0}, groupings = {0}, out = {0}, targets = {0};
    SortKeyVec keys = {0};
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
    TRY(gather_all(level, EXPR_AGGREGATE, &calls));
    TRY(plan_fix_list(level, &groups, &tree->out, NULL, &aggregate->group_by));
    for (size_t i = 0; i < calls.length; i++) {
        AggregateCall call;
        TRY(aggregate_call(level, EXPR_AS(const ExprAggregate, calls.items[i]), &tree->out, &groups,
                           &call));
        VEC_PUSH(arena, &aggregate->calls, call);
        VEC_PUSH(arena, &out, calls.items[i]);
    }
    gather_all(level, EXPR_GROUPING, &groupings);
    TRY(plan_grouping_sets(level, &groupings, (int)groups.length, aggregate));
    for (size_t i = 0; i < groupings.length; i++)
        VEC_PUSH(arena, &out, groupings.items[i]);
    Plan *child = tree->plan;
    const double group_count = estimate_groups(level, &groups, aggregate, child->rows);
    aggregate->strategy = groups.length == 0 ? AGGREGATE_PLAIN
                          : hashable         ? AGGREGATE_HASHED
                                             : AGGREGATE_SORTED;
    if (aggregate->strategy == AGGREGATE_SORTED && aggregate->sets.length == 0) {
        TRY(sort_keys(level, &query->group_by, &tree->out, &keys));
        child = add_sort(level, child, &keys);
    }
    aggregate->group_count = group_count;
    aggregate->base.left = child;
    aggregate->base.rows = aggregate->strategy == AGGREGATE_PLAIN ? 1 : rint(group_count);
    aggregate->base.startup_cost =
        child->total_cost + child->rows * 0.0025 * (double)(1 + calls.length + groups.length);
    aggregate->base.total_cost = aggregate->base.startup_cost + aggregate->base.rows * 0.01;
    TRY(plan_fix_list(level, &out, &out, NULL, &targets));
    plan_set_targets(level, &aggregate->base, &targets);
    ExprVec having = {0};
    plan_split_and(arena, query->having, &having);
    TRY(plan_fix_list(level, &having, &out, NULL, &aggregate->base.filter));
    tree->plan = &aggregate->base;
    tree->out = out;
    tree->rel = 0;
    return true;
}

/* ---- windows ---- */

static bool same_window(const WindowClause *a, const WindowClause *b)
{
    if (a->partition_by.length != b->partition_by.length ||
        a->order_by.length != b->order_by.length || a->frame_options != b->frame_options ||
        !expr_equal(a->start_offset, b->start_offset) || !expr_equal(a->end_offset, b->end_offset))
        return false;
    for (size_t i = 0; i < a->partition_by.length; i++)
        if (a->partition_by.items[i].ref != b->partition_by.items[i].ref)
            return false;
    for (size_t i = 0; i < a->order_by.length; i++)
        if (a->order_by.items[i].ref != b->order_by.items[i].ref ||
            a->order_by.items[i].is_descending != b->order_by.items[i].is_descending ||
            a->order_by.items[i].nulls_first != b->order_by.items[i].nulls_first)
            return false;
    return true;
}

static bool plan_one_window(Level *level, size_t index, const ExprVec *functions, bool *done,
                            Tree *tree)
{
    Arena *arena = level->planner->arena;
    Query *query = level->query;
    const WindowClause *window = query->windows.items[index];
    WindowPlan *plan = PLAN_NEW(level, WindowPlan, PLAN_WINDOW);
    ExprVec out = {0}, targets = {0};
    SortKeyVec keys = {0}, partition = {0};

    for (size_t i = 0; i < tree->out.length; i++)
        VEC_PUSH(arena, &out, tree->out.items[i]);
    TRY(sort_keys(level, &window->partition_by, &tree->out, &partition));
    for (size_t i = 0; i < partition.length; i++) {
        VEC_PUSH(arena, &keys, partition.items[i]);
        VEC_PUSH(arena, &plan->partition_by, partition.items[i].expr);
    }
    TRY(sort_keys(level, &window->order_by, &tree->out, &plan->order_by));
    for (size_t i = 0; i < plan->order_by.length; i++)
        VEC_PUSH(arena, &keys, plan->order_by.items[i]);
    for (size_t i = 0; i < functions->length; i++) {
        const ExprWindowFunction *source = EXPR_AS(const ExprWindowFunction, functions->items[i]);
        if (done[i] || !same_window(query->windows.items[source->window], window))
            continue;
        WindowCall call = {.function = source->function,
                           .result_type = source->base.type,
                           .result_typmod = source->base.typmod,
                           .input_collation = source->input_collation,
                           .collation = source->base.collation,
                           .is_aggregate = source->is_aggregate,
                           .is_star = source->is_star,
                           .source = functions->items[i]};
        TRY(plan_fix_list(level, &source->args, &tree->out, NULL, &call.args));
        if (source->filter)
            TRY(call.filter = plan_fix(level, source->filter, &tree->out, NULL));
        VEC_PUSH(arena, &plan->calls, call);
        VEC_PUSH(arena, &out, functions->items[i]);
        done[i] = true;
    }
    if (window->start_offset)
        TRY(plan->start_offset = plan_fix(level, window->start_offset, NULL, NULL));
    if (window->end_offset)
        TRY(plan->end_offset = plan_fix(level, window->end_offset, NULL, NULL));
    plan->frame_options = window->frame_options;
    plan->start_in_range = window->start_in_range;
    plan->end_in_range = window->end_in_range;
    Plan *child = add_sort(level, tree->plan, &keys);
    plan->base.left = child;
    plan->base.rows = child->rows;
    plan->base.startup_cost = child->startup_cost;
    plan->base.total_cost = child->total_cost + child->rows * 0.01;
    TRY(plan_fix_list(level, &out, &out, NULL, &targets));
    plan_set_targets(level, &plan->base, &targets);
    tree->plan = &plan->base;
    tree->out = out;
    return true;
}

static bool plan_windows(Level *level, Tree *tree)
{
    ExprVec functions = {0};
    Arena *arena = level->planner->arena;
    TRY(gather_all(level, EXPR_WINDOW_FUNCTION, &functions));
    bool *done = ARENA_ARRAY(arena, bool, functions.length + 1);
    /* What targets sort by must be there before a window sorts by it. */
    ExprVec extra = {0};
    for (size_t i = 0; i < level->query->targets.length; i++) {
        Expr *expr = level->query->targets.items[i].expr;
        ExprVec windows = {0};
        Gather gather = {arena, level, EXPR_WINDOW_FUNCTION, &windows};
        (void)expr_walk_deep(expr, 0, gather_visit, &gather);
        if (windows.length == 0 && level->query->targets.items[i].sort_group_ref)
            VEC_PUSH(arena, &extra, expr);
    }
    if (extra.length > 0) {
        ExprVec out = {0}, targets = {0};
        for (size_t i = 0; i < tree->out.length; i++)
            VEC_PUSH(arena, &out, tree->out.items[i]);
        for (size_t i = 0; i < extra.length; i++) {
            bool known = false;
            for (size_t k = 0; k < out.length; k++)
                known |= expr_equal(out.items[k], extra.items[i]);
            if (!known)
                VEC_PUSH(arena, &out, extra.items[i]);
        }
        TRY(plan_fix_list(level, &out, &tree->out, NULL, &targets));
        TRY(plan_project(level, &tree->plan, &targets));
        tree->out = out;
    }
    for (size_t i = 0; i < functions.length; i++)
        if (!done[i])
            TRY(plan_one_window(level,
                                (size_t)EXPR_AS(ExprWindowFunction, functions.items[i])->window,
                                &functions, done, tree));
    return true;
}

/* ---- set operations ---- */

static Plan *set_leaf_plan(Level *level, const SetOpNode *leaf, const RangeColumn *columns)
{
    Planner *planner = level->planner;
    const RangeTableEntry *rte = query_rte(level->query, leaf->rel);
    Level *inner = level_new(planner, level, rte->subquery);
    ExprVec out, targets = {0};
    Plan *plan = plan_query(inner, &out);
    TRY(plan);
    for (size_t i = 0; i < inner->used.length; i++)
        VEC_PUSH(planner->arena, &level->used, inner->used.items[i]);
    bool same = plan->column_count == leaf->column_count;
    AnalyzeContext context = {.arena = planner->arena, .session = planner->session};
    for (int i = 0; i < leaf->column_count; i++) {
        const Expr like = {.type = plan->columns[i].type,
                           .typmod = plan->columns[i].typmod,
                           .collation = plan->columns[i].collation};
        Expr *expr = expr_slot(planner->arena, 0, i, &like);
        if (expr->type != columns[i].type) {
            same = false;
            expr = analyze_coerce(&context, expr, columns[i].type, -1, COERCION_IMPLICIT, 0);
            if (!expr)
                FAIL(ERR_INTERNAL_ERROR,
                     .message = STR("a set operation's column has no conversion"));
        }
        VEC_PUSH(planner->arena, &targets, expr);
    }
    if (!same)
        TRY(plan_project(level, &plan, &targets));
    return plan;
}

static Plan *set_tree_plan(Level *level, const SetOpNode *node, const RangeColumn *columns);

static bool append_children(Level *level, const SetOpNode *node, const SetOpNode *like,
                            const RangeColumn *columns, AppendPlan *append)
{
    if (node->op == SET_UNION && (node->is_all || !like->is_all)) {
        TRY(append_children(level, node->left, like, columns, append));
        return append_children(level, node->right, like, columns, append);
    }
    Plan *child = set_tree_plan(level, node, columns);
    TRY(child);
    VEC_PUSH(level->planner->arena, &append->children, child);
    append->base.rows += child->rows;
    append->base.total_cost += child->total_cost;
    return true;
}

static Plan *convert_columns(Level *level, Plan *plan, const RangeColumn *from,
                             const RangeColumn *to, int count)
{
    Planner *planner = level->planner;
    AnalyzeContext context = {.arena = planner->arena, .session = planner->session};
    ExprVec targets = {0};
    bool same = true;
    for (int i = 0; i < count; i++) {
        const Expr like = {
            .type = from[i].type, .typmod = from[i].typmod, .collation = from[i].collation};
        Expr *expr = expr_slot(planner->arena, 0, i, &like);
        if (from[i].type != to[i].type) {
            same = false;
            TRY(expr = analyze_coerce(&context, expr, to[i].type, -1, COERCION_IMPLICIT, 0));
        }
        VEC_PUSH(planner->arena, &targets, expr);
    }
    if (!same)
        TRY(plan_project(level, &plan, &targets));
    return plan;
}

/* `columns`: the types that whoever is above wants. */
static Plan *set_tree_plan(Level *level, const SetOpNode *node, const RangeColumn *columns)
{
    if (task_stack_left() < 24 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    if (!node->op)
        return set_leaf_plan(level, node, columns);
    if (node->op == SET_UNION) {
        AppendPlan *append = PLAN_NEW(level, AppendPlan, PLAN_APPEND);
        append->base.rows = 0;
        TRY(append_children(level, node->left, node, node->columns, append));
        TRY(append_children(level, node->right, node, node->columns, append));
        const Plan *first = append->children.items[0];
        append->base.passes_through = true;
        append->base.columns = first->columns;
        append->base.column_count = node->column_count;
        append->base.width = first->width;
        Plan *plan = &append->base;
        if (!node->is_all)
            plan = hash_distinct(level, plan, node->column_count);
        return convert_columns(level, plan, node->columns, columns, node->column_count);
    }
    SetOpPlan *set = PLAN_NEW(level, SetOpPlan, PLAN_SET_OP);
    TRY(set->base.left = set_tree_plan(level, node->left, node->columns));
    TRY(set->base.right = set_tree_plan(level, node->right, node->columns));
    plan_pass_through(level, &set->base, set->base.left);
    set->base.total_cost = set->base.left->total_cost + set->base.right->total_cost +
                           (set->base.left->rows + set->base.right->rows) * 0.015;
    set->base.startup_cost = set->base.total_cost;
    set->op = node->op;
    set->is_all = node->is_all;
    return convert_columns(level, &set->base, node->columns, columns, node->column_count);
}

/* ---- WITH ---- */

static Plan *plan_recursive(Level *level, const CommonTable *cte, size_t index)
{
    Planner *planner = level->planner;
    Level *inner = level_new(planner, level, cte->query);
    const SetOpNode *top = cte->query->set_op;
    RecursiveUnionPlan *recursive = PLAN_NEW(level, RecursiveUnionPlan, PLAN_RECURSIVE_UNION);

    TRY(note_relations(inner));
    TRY(plan_ctes(inner));
    recursive->work_table = planner->statement->work_table_count++;
    const Expr round = {.type = TYPE_INT8, .typmod = -1};
    recursive->param = plan_new_param(planner, &round, -1, 0);
    recursive->is_distinct = !top->is_all;
    TRY(recursive->base.left = set_tree_plan(inner, top->left, top->columns));
    level->cte_subplans.items[index] = -1;
    level->cte_work_tables.items[index] = recursive->work_table;
    level->cte_work_params.items[index] = recursive->param;
    TRY(recursive->base.right = set_tree_plan(inner, top->right, top->columns));
    plan_pass_through(level, &recursive->base, recursive->base.left);
    recursive->base.rows = recursive->base.left->rows + 10 * recursive->base.right->rows;
    recursive->base.total_cost =
        recursive->base.left->total_cost + 10 * recursive->base.right->total_cost;
    for (size_t i = 0; i < inner->used.length; i++)
        VEC_PUSH(planner->arena, &level->used, inner->used.items[i]);
    return &recursive->base;
}

bool plan_ctes(Level *level)
{
    Planner *planner = level->planner;
    for (size_t i = 0; i < level->query->ctes.length; i++) {
        const CommonTable *cte = level->query->ctes.items[i];
        VEC_PUSH(planner->arena, &level->cte_subplans, -2);
        VEC_PUSH(planner->arena, &level->cte_work_tables, -1);
        VEC_PUSH(planner->arena, &level->cte_work_params, -1);
        const bool modifies = cte->query->command != QUERY_SELECT;
        if (cte->reference_count == 0 && !modifies)
            continue;
        Plan *plan;
        if (cte->is_recursive) {
            TRY(plan = plan_recursive(level, cte, i));
        } else {
            Level *inner = level_new(planner, level, cte->query);
            ExprVec out;
            TRY(plan = plan_query(inner, &out));
            for (size_t u = 0; u < inner->used.length; u++)
                VEC_PUSH(planner->arena, &level->used, inner->used.items[u]);
        }
        level->cte_subplans.items[i] =
            plan_add_subplan(planner, plan, modifies ? SUBPLAN_MODIFY_CTE : SUBPLAN_CTE, 0,
                             str_format(planner->arena, "CTE %.*s", STR_ARGS(cte->name)));
        planner->statement->has_modifying_cte |= modifies;
    }
    return true;
}

/* ---- one query level ---- */

static bool plan_no_from(Level *level, ExprVec *quals, Tree *ret)
{
    Arena *arena = level->planner->arena;
    ResultPlan *result = PLAN_NEW(level, ResultPlan, PLAN_RESULT);
    ExprVec none = {0};
    plan_set_targets(level, &result->base, &none);
    for (size_t i = 0; i < quals->length; i++) {
        Expr *qual = plan_fix(level, quals->items[i], NULL, NULL);
        TRY(qual);
        VEC_PUSH(arena, &result->one_time_filter, qual);
    }
    result->base.total_cost = 0.01;
    *ret = (Tree){.plan = &result->base, .one_row = true};
    return true;
}

static bool target_has_srf(const Expr *expr)
{
    if (expr->kind == EXPR_FUNCTION && EXPR_AS(const ExprFunction, expr)->returns_set)
        return true;
    return expr->kind == EXPR_OPERATOR && EXPR_AS(const ExprOperator, expr)->returns_set;
}

static WalkStep srf_visit(void *context, Expr *expr, int depth)
{
    (void)context;
    (void)depth;
    if (expr->kind == EXPR_SUB_LINK)
        return WALK_SKIP;
    return target_has_srf(expr) ? WALK_STOP : WALK_CHILDREN;
}

static Expr *row_id_of(const Level *level, int rel)
{
    const Expr like = {.type = TYPE_INT8, .typmod = -1};
    return expr_column(level->planner->arena, rel, ATTNUM_ROW_ID, 0, &like);
}

static bool plan_targets(Level *level, Tree *tree)
{
    Arena *arena = level->planner->arena;
    const Query *query = level->query;
    ExprVec out = {0}, targets = {0};
    bool has_srf = false;

    for (size_t i = 0; i < query->targets.length; i++) {
        Expr *expr = query->targets.items[i].expr;
        has_srf |= !expr_walk_deep(expr, 0, srf_visit, NULL);
        VEC_PUSH(arena, &out, expr);
    }
    for (size_t i = 0; i < query->row_marks.length; i++)
        if (query_rte(query, query->row_marks.items[i].rel)->kind == RANGE_RELATION)
            VEC_PUSH(arena, &out, row_id_of(level, query->row_marks.items[i].rel));
    if (level->cursor_rel)
        VEC_PUSH(arena, &out, row_id_of(level, level->cursor_rel));
    TRY(plan_fix_list(level, &out, &tree->out, NULL, &targets));
    if (has_srf) {
        ProjectSetPlan *project = PLAN_NEW(level, ProjectSetPlan, PLAN_PROJECT_SET);
        project->base.left = tree->plan;
        project->base.rows = tree->plan->rows * 1000;
        project->base.startup_cost = tree->plan->startup_cost;
        project->base.total_cost = tree->plan->total_cost + project->base.rows * 0.01;
        plan_set_targets(level, &project->base, &targets);
        tree->plan = &project->base;
    } else {
        TRY(plan_project(level, &tree->plan, &targets));
    }
    tree->out = out;
    return true;
}

/* Marks the tables of FROM that are not locked, so that their rows can be found again. */
static void mark_others(Level *level, const FromItem *item)
{
    Query *query = level->query;
    if (item->kind == FROM_JOIN) {
        mark_others(level, item->left);
        if (item->join_type != JOINS_SEMI && item->join_type != JOINS_ANTI)
            mark_others(level, item->right);
        return;
    }
    if (query_rte(query, item->rel)->kind != RANGE_RELATION)
        return;
    for (size_t i = 0; i < query->row_marks.length; i++)
        if (query->row_marks.items[i].rel == item->rel)
            return;
    const RowMark mark = {.rel = item->rel};
    VEC_PUSH(level->planner->arena, &query->row_marks, mark);
}

/* A row that may not be there cannot be locked. */
static bool check_lockable(const Level *level, const FromItem *item, bool is_nullable)
{
    const Query *query = level->query;
    if (item->kind == FROM_JOIN)
        return check_lockable(level, item->left,
                              is_nullable || item->join_type == JOINS_RIGHT ||
                                  item->join_type == JOINS_FULL) &&
               check_lockable(level, item->right,
                              is_nullable || item->join_type == JOINS_LEFT ||
                                  item->join_type == JOINS_FULL);
    for (size_t i = 0; i < query->row_marks.length && is_nullable; i++)
        if (query->row_marks.items[i].rel == item->rel)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = fmt("%s cannot be applied to the nullable side of an outer join",
                                lock_strength_name(query->row_marks.items[i].strength)));
    return true;
}

static Plan *plan_locks(Level *level, Plan *plan)
{
    const Query *query = level->query;
    if (query->row_marks.length == 0)
        return plan;
    LockRowsPlan *lock = PLAN_NEW(level, LockRowsPlan, PLAN_LOCK_ROWS);
    int column = (int)query->targets.length;
    plan_pass_through(level, &lock->base, plan);
    lock->base.left = plan;
    lock->base.total_cost += plan->rows * 0.01;
    lock->is_limited = query->limit_count || query->limit_offset;
    for (size_t i = 0; i < query->row_marks.length; i++) {
        const RowMark *mark = &query->row_marks.items[i];
        const RangeTableEntry *rte = query_rte(query, mark->rel);
        if (rte->kind != RANGE_RELATION)
            continue;
        const LockMark lock_mark = {.relation = rte->relation,
                                    .rel = level_scan_number(level, mark->rel),
                                    .row_id_column = column++,
                                    .strength = mark->strength,
                                    .wait = mark->wait,
                                    .alias = rte->name};
        VEC_PUSH(level->planner->arena, &lock->marks, lock_mark);
    }
    return &lock->base;
}

/* How many rows of so many are going to be read; of a cursor's the first tenth. */
static double rows_wanted(const Level *level, double rows)
{
    const Query *query = level->query;
    double count = rows, offset = 0;
    if (level->planner->is_cursor && query == level->planner->statement->query)
        count = rows * 0.1;
    if (query->limit_count && !const_count(query->limit_count, &count))
        count = rows * 0.1;
    if (query->limit_offset && !const_count(query->limit_offset, &offset))
        offset = rows * 0.1;
    return MAX(1, MIN(rows, count + offset));
}

/*
 * WHERE CURRENT OF takes a cursor's row for a row of a table where that is plain: one table, whose
 * scan gives the rows in their order. Of queries that lock rows the locks tell.
 */
static int cursor_rel(const Level *level)
{
    const Query *query = level->query;
    if (!level->planner->is_cursor || query != level->planner->statement->query ||
        query->row_marks.length > 0 || query->from.length != 1)
        return 0;
    const FromItem *item = query->from.items[0];
    if (item->kind == FROM_JOIN || query_rte(query, item->rel)->kind != RANGE_RELATION)
        return 0;
    return item->rel;
}

static bool is_table_scan(const Plan *plan)
{
    return plan->kind == PLAN_SEQ_SCAN || plan->kind == PLAN_INDEX_SCAN ||
           plan->kind == PLAN_INDEX_ONLY_SCAN || plan->kind == PLAN_ROW_ID_SCAN;
}

static void mark_cursor(const Level *level)
{
    PlannedStatement *statement = level->planner->statement;
    statement->cursor_table = query_rte(level->query, level->cursor_rel)->relation;
    statement->cursor_row_id_column = (int)level->query->targets.length;
}

/* A query's junk columns stay behind at the right end; who must not see them asks for less. */
static Plan *plan_select(Level *level, ExprVec *ret_out)
{
    Arena *arena = level->planner->arena;
    Query *query = level->query;
    ExprVec needed = {0}, quals = {0};
    SortKeyVec keys = {0};
    Tree tree;
    bool sorted = false;

    if (query->set_op) {
        tree = (Tree){0};
        TRY(tree.plan = set_tree_plan(level, query->set_op, query->set_op->columns));
        for (size_t i = 0; i < query->targets.length; i++)
            VEC_PUSH(arena, &tree.out, query->targets.items[i].expr);
    } else {
        TRY(query_visit_exprs(query, prepare_expr, level));
        collect_query_columns(level, &needed);
        for (size_t i = 0; query->row_marks.length > 0 && i < query->from.length; i++)
            TRY(check_lockable(level, query->from.items[i], false));
        for (size_t i = 0; query->row_marks.length > 0 && i < query->from.length; i++)
            mark_others(level, query->from.items[i]);
        for (size_t i = 0; i < query->row_marks.length; i++)
            VEC_PUSH(arena, &needed, row_id_of(level, query->row_marks.items[i].rel));
        level->cursor_rel = cursor_rel(level);
        if (level->cursor_rel)
            VEC_PUSH(arena, &needed, row_id_of(level, level->cursor_rel));
        plan_split_and(arena, query->where, &quals);
        if (query->from.length == 0)
            TRY(plan_no_from(level, &quals, &tree));
        else
            TRY(plan_from(level, &quals, &needed, &tree));
        const bool is_plain = !query_is_grouped(query) && !query->has_windows &&
                              query->distinct.length == 0 && !query->has_srfs;
        if (is_plain)
            TRY(plan_index_order(level, &tree, &query->order_by,
                                 rows_wanted(level, tree.plan->rows), &needed, &sorted));
        if (!is_plain || !is_table_scan(tree.plan))
            level->cursor_rel = 0;
        if (query_is_grouped(query))
            TRY(plan_grouping(level, &tree));
        if (query->has_windows)
            TRY(plan_windows(level, &tree));
        TRY(plan_targets(level, &tree));
    }
    Plan *plan = tree.plan;
    TRY(sort_keys(level, &query->order_by, &tree.out, &keys));
    if (query->distinct.length > 0)
        TRY(plan = plan_distinct(level, plan, &tree.out, &sorted, &keys));
    if (query->row_marks.length > 0 && !sorted) {
        plan = add_sort(level, plan, &keys);
        sorted = true;
    }
    TRY(plan = plan_locks(level, plan));
    if (query->limit_count || query->limit_offset)
        TRY(plan = plan_limit(level, plan, &keys, &sorted));
    if (!sorted)
        plan = add_sort(level, plan, &keys);
    if (level->cursor_rel && (sorted || keys.length == 0))
        mark_cursor(level);
    *ret_out = tree.out;
    return plan;
}

static WalkStep refuses_where(void *context, Expr *expr, int depth)
{
    (void)context;
    (void)depth;
    return expr->kind == EXPR_AGGREGATE || expr->kind == EXPR_GROUPING ||
                   expr->kind == EXPR_SUB_LINK
               ? WALK_STOP
               : WALK_CHILDREN;
}

/* What HAVING says of the groups' keys alone is as true of each row before they are made. */
static void move_having(Level *level)
{
    Query *query = level->query;
    Arena *arena = level->planner->arena;
    ExprVec clauses = {0}, where = {0}, having = {0};
    if (!query->having || query->group_by.length == 0 || query->grouping_sets.length > 0)
        return;
    plan_split_and(arena, query->having, &clauses);
    if (query->where)
        VEC_PUSH(arena, &where, query->where);
    for (size_t i = 0; i < clauses.length; i++) {
        Expr *clause = clauses.items[i];
        const bool moves = expr_walk_deep(clause, 0, refuses_where, NULL) &&
                           !expr_is_volatile(level->planner->session, clause);
        VEC_PUSH(arena, moves ? &where : &having, clause);
    }
    query->where = where.length > 0 ? expr_and_list(arena, &where) : NULL;
    query->having = having.length > 0 ? expr_and_list(arena, &having) : NULL;
}

Plan *plan_query(Level *level, ExprVec *ret_out)
{
    if (task_stack_left() < 32 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    CHECK_INTERRUPTS();
    TRY(plan_pull_up(level->planner, level->query));
    TRY(note_relations(level));
    TRY(plan_ctes(level));
    if (level->query->command == QUERY_SELECT) {
        move_having(level);
        TRY(plan_min_max(level->planner, level->query));
        return plan_select(level, ret_out);
    }
    TRY(query_visit_exprs(level->query, prepare_expr, level));
    return plan_modify(level, ret_out);
}
