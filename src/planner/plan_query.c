#include <math.h>

#include "base/scheduler.h"
#include "base/settings.h"
#include "planner/plan_query.h"
#include "planner/variable.h"

Level *level_new(Planner *planner, Level *parent, Query *query)
{
    Level *level = ARENA_NEW(planner->arena, Level);
    level->planner = planner;
    level->parent = parent;
    level->query = query;
    level->number = planner->level_count++;
    level->limit_rows = INFINITY;
    level->limit_fraction = 1;
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

bool level_note_relations(Level *level)
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

bool plan_sort_keys(Level *level, const SortVec *clauses, const ExprVec *out, SortKeyVec *ret)
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

Presorted plan_presorted(Level *level, const Tree *tree, const SortVec *wanted)
{
    const SortVec *order = &tree->order;
    ExprVec exprs = {0};
    Presorted done = {0};
    for (size_t i = 0; i < wanted->length && i < order->length; i++) {
        const SortClause *a = &order->items[i], *b = &wanted->items[i];
        if (a->ref != b->ref || a->is_descending != b->is_descending ||
            a->nulls_first != b->nulls_first)
            break;
        VEC_PUSH(level->planner->arena, &exprs, query_target_by_ref(level->query, a->ref)->expr);
    }
    done.keys = (int)exprs.length;
    if (exprs.length == 0 || exprs.length == wanted->length)
        return done;
    if (!settings()->enable_incremental_sort)
        return (Presorted){0};
    done.groups = group_estimate(level, &exprs, tree->plan->rows);
    return done;
}

Plan *plan_add_sort(Level *level, Plan *child, const SortKeyVec *keys, Presorted done, double limit)
{
    if ((size_t)done.keys == keys->length)
        return child;
    SortPlan *sort = PLAN_NEW(level, SortPlan, PLAN_SORT);
    plan_pass_through(level, &sort->base, child);
    sort->base.left = child;
    sort->keys = *keys;
    sort->presorted = done.keys;
    const SortWork work = {
        .rows = child->rows, .width = child->width, .groups = done.groups, .limit = limit};
    plan_set_cost(&sort->base, done.keys > 0
                                   ? cost_incremental_sort(plan_cost(child), &work)
                                   : cost_sort(plan_cost(child), child->rows, child->width, limit));
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

static Plan *plan_top_n(Level *level, Plan *plan, const SortKeyVec *keys, Expr *count, Expr *offset)
{
    TopNPlan *top = PLAN_NEW(level, TopNPlan, PLAN_TOP_N);
    const double rows = limited_rows(plan->rows, count, offset);
    plan_pass_through(level, &top->base, plan);
    top->base.left = plan;
    top->keys = *keys;
    top->count = count;
    top->offset = offset;
    top->with_ties = level->query->limit_option == LIMIT_OPTION_WITH_TIES;
    plan_set_cost(&top->base, cost_sort(plan_cost(plan), plan->rows, plan->width, rows));
    top->base.rows = rows;
    return &top->base;
}

static Plan *plan_limit(Level *level, Plan *plan, const SortKeyVec *keys, Presorted done)
{
    const Query *query = level->query;
    Expr *count = NULL, *offset = NULL;
    if (query->limit_count)
        TRY(count = plan_fix(level, query->limit_count, NULL, NULL));
    if (query->limit_offset)
        TRY(offset = plan_fix(level, query->limit_offset, NULL, NULL));
    const bool with_ties = query->limit_option == LIMIT_OPTION_WITH_TIES;
    const double rows = limited_rows(plan->rows, count, offset);
    double limit = 0;
    const bool is_null_count =
        count && count->kind == EXPR_CONST && EXPR_AS(ExprConst, count)->is_null;

    if (count && !is_null_count && keys->length > 0 && done.keys == 0)
        return plan_top_n(level, plan, keys, count, offset);
    double offset_rows = 0;
    const bool is_known = count && !is_null_count && const_count(count, &limit) &&
                          (!offset || const_count(offset, &offset_rows));
    plan = plan_add_sort(level, plan, keys, done, is_known ? limit + offset_rows : 0);
    LimitPlan *top = PLAN_NEW(level, LimitPlan, PLAN_LIMIT);
    plan_pass_through(level, &top->base, plan);
    top->base.left = plan;
    top->count = count;
    top->offset = offset;
    top->with_ties = with_ties;
    top->tie_keys = *keys;
    const double fraction = plan->rows > 0 ? MIN(1, rows / plan->rows) : 1;
    top->base.total_cost = plan->startup_cost + (plan->total_cost - plan->startup_cost) * fraction;
    top->base.rows = rows;
    return &top->base;
}

static Plan *hash_distinct(Level *level, Plan *child, int column_count, double groups)
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
    aggregate->group_count = aggregate->base.rows = groups;
    const GroupWork work = {
        .rows = child->rows, .width = child->width, .columns = column_count, .groups = groups};
    plan_set_cost(&aggregate->base, cost_group(plan_cost(child), &work, true));
    return &aggregate->base;
}

static bool has_ref(const SortVec *list, int ref)
{
    for (size_t i = 0; i < list->length; i++)
        if (list->items[i].ref == ref)
            return true;
    return false;
}

/*
 * An order that brings equal rows of `list` together and is the query's own as far as that goes:
 * ORDER BY while it speaks of them, the others, then what is left of ORDER BY.
 */
void plan_merged_order(Level *level, const SortVec *list, SortVec *ret)
{
    Arena *arena = level->planner->arena;
    const SortVec *order = &level->query->order_by;
    size_t taken = 0;
    while (taken < order->length && has_ref(list, order->items[taken].ref)) {
        VEC_PUSH(arena, ret, order->items[taken]);
        taken++;
    }
    for (size_t i = 0; i < list->length; i++)
        if (!has_ref(ret, list->items[i].ref))
            VEC_PUSH(arena, ret, list->items[i]);
    const bool all_led = ret->length == taken;
    for (size_t i = taken; i < order->length && all_led && list == &level->query->distinct; i++)
        VEC_PUSH(arena, ret, order->items[i]);
}

static double distinct_groups(Level *level, double rows)
{
    const Query *query = level->query;
    ExprVec exprs = {0};
    for (size_t i = 0; i < query->distinct.length; i++)
        VEC_PUSH(level->planner->arena, &exprs,
                 query_target_by_ref(query, query->distinct.items[i].ref)->expr);
    return group_estimate(level, &exprs, rows);
}

static bool can_hash_distinct(const Query *query)
{
    bool hashable = !query->is_distinct_on;
    size_t visible = 0;
    for (size_t i = 0; i < query->distinct.length; i++)
        hashable &= query->distinct.items[i].is_hashable;
    for (size_t i = 0; i < query->targets.length; i++)
        visible += !query->targets.items[i].is_junk;
    return hashable && query->distinct.length == visible;
}

static Plan *plan_distinct(Level *level, Tree *tree)
{
    const Query *query = level->query;
    Plan *plan = tree->plan;
    const double groups = distinct_groups(level, plan->rows);
    const int columns = (int)query->distinct.length;
    SortVec merged = {0};
    SortKeyVec keys = {0}, distinct = {0};

    plan_merged_order(level, &query->distinct, &merged);
    TRY(plan_sort_keys(level, &merged, &tree->out, &keys));
    TRY(plan_sort_keys(level, &query->distinct, &tree->out, &distinct));
    const Presorted done = plan_presorted(level, tree, &merged);
    tree->order = (SortVec){0};
    Plan *sorted_plan = plan_add_sort(level, plan, &keys, done, 0);
    if (can_hash_distinct(query) && sorted_plan != plan) {
        const GroupWork work = {
            .rows = plan->rows, .width = plan->width, .columns = columns, .groups = groups};
        const Cost hashed = cost_group(plan_cost(plan), &work, true);
        const Cost sorted = cost_group(plan_cost(sorted_plan), &work, false);
        const bool is_ordered = query->order_by.length > 0;
        const Cost again = is_ordered ? cost_sort(hashed, groups, plan->width, 0) : hashed;
        if (again.total <= sorted.total)
            return hash_distinct(level, plan, columns, groups);
    }
    /* Sorted on the distinct columns first, then on what else is ordered by. */
    UniquePlan *unique = PLAN_NEW(level, UniquePlan, PLAN_UNIQUE);
    for (size_t i = 0; i < distinct.length; i++)
        if (distinct.items[i].expr->kind == EXPR_SLOT) /* others are the same in all rows */
            VEC_PUSH(level->planner->arena, &unique->key_columns,
                     EXPR_AS(ExprSlot, distinct.items[i].expr)->column);
    plan = sorted_plan;
    tree->order = merged;
    plan_pass_through(level, &unique->base, plan);
    unique->base.left = plan;
    const GroupWork compared = {.rows = plan->rows, .width = plan->width, .columns = columns};
    plan_set_cost(&unique->base, cost_group(plan_cost(plan), &compared, false));
    unique->base.rows = groups;
    return &unique->base;
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
            expr = analyze_coerce(&context, expr, columns[i].type, -1, COERCION_IMPLICIT);
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
            TRY(expr = analyze_coerce(&context, expr, to[i].type, -1, COERCION_IMPLICIT));
        }
        VEC_PUSH(planner->arena, &targets, expr);
    }
    if (!same)
        TRY(plan_project(level, &plan, &targets));
    return plan;
}

Plan *set_tree_plan(Level *level, const SetOpNode *node, const RangeColumn *columns)
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
            plan = hash_distinct(level, plan, node->column_count, plan->rows);
        return convert_columns(level, plan, node->columns, columns, node->column_count);
    }
    SetOpPlan *set = PLAN_NEW(level, SetOpPlan, PLAN_SET_OP);
    TRY(set->base.left = set_tree_plan(level, node->left, node->columns));
    TRY(set->base.right = set_tree_plan(level, node->right, node->columns));
    plan_pass_through(level, &set->base, set->base.left);
    if (node->op == SET_INTERSECT)
        set->base.rows = MIN(set->base.left->rows, set->base.right->rows);
    set->base.total_cost = set->base.left->total_cost + set->base.right->total_cost +
                           (set->base.left->rows + set->base.right->rows) * 0.015;
    set->base.startup_cost = set->base.total_cost;
    set->op = node->op;
    set->is_all = node->is_all;
    return convert_columns(level, &set->base, node->columns, columns, node->column_count);
}

/* ---- WITH ---- */

bool plan_ctes(Level *level)
{
    Planner *planner = level->planner;
    for (size_t i = 0; i < level->query->ctes.length; i++) {
        const CommonTable *cte = level->query->ctes.items[i];
        VEC_PUSH(planner->arena, &level->cte_subplans, -2);
        VEC_PUSH(planner->arena, &level->cte_work_tables, -1);
        VEC_PUSH(planner->arena, &level->cte_work_params, -1);
        VEC_PUSH(planner->arena, &level->cte_work_rows, 1.0);
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

bool target_has_srf(const Expr *expr)
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

/* *ret_late: all targets, when those before the sort are not all of them. */
static bool plan_targets(Level *level, Tree *tree, bool is_sorted, ExprVec *ret_late)
{
    Arena *arena = level->planner->arena;
    const Query *query = level->query;
    ExprVec out = {0}, early = {0}, targets = {0};
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
    if (!is_sorted && plan_early_targets(level, tree, &out, &early)) {
        *ret_late = out;
        out = early;
    }
    TRY(plan_fix_list(level, &out, &tree->out, NULL, &targets));
    if (has_srf) {
        ProjectSetPlan *project = PLAN_NEW(level, ProjectSetPlan, PLAN_PROJECT_SET);
        project->base.left = tree->plan;
        project->base.rows = tree->plan->rows * rows_of_sets(level->planner->session, &targets);
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

/* Only tables have rows that can be locked. */
static bool check_lock_kind(const Level *level, const RowMark *mark, const RangeTableEntry *rte)
{
    const RelationDesc *relation = relation_get(level->planner->session, rte->relation);
    TRY(relation);
    if (relation->kind == RELKIND_SEQUENCE ||
        (mark->strength != LOCK_NO_ROWS && relation->kind == RELKIND_MATVIEW))
        FAIL(ERR_WRONG_OBJECT_TYPE, .message = fmt("cannot lock rows in %.*s \"%.*s\"",
                                                   STR_ARGS(relation_kind_name(relation->kind)),
                                                   STR_ARGS(relation->name)));
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
        TRY(check_lock_kind(level, mark, rte));
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

double planner_cursor_fraction(const Planner *planner)
{
    return planner->is_cursor ? MIN(MAX(settings()->cursor_tuple_fraction, 1e-10), 1) : 1;
}

/* How many rows are going to be read: a number, infinite where nothing limits them, and a part. */
static double rows_wanted(const Level *level, double *ret_fraction)
{
    const Query *query = level->query;
    double count = INFINITY, offset = 0;
    *ret_fraction = 1;
    if (query == level->planner->statement->query)
        *ret_fraction = planner_cursor_fraction(level->planner);
    if (!query->limit_count)
        return INFINITY;
    if (!const_count(query->limit_count, &count)) {
        *ret_fraction = 0.1;
        return INFINITY;
    }
    if (query->limit_offset && !const_count(query->limit_offset, &offset)) {
        *ret_fraction = 0.1;
        return INFINITY;
    }
    return MAX(1, count + offset);
}

/* The rows of FROM in the order wanted, if that is cheaper than sorting them. */
static bool build_ordered(Level *level, const FromPaths *paths, const SortVec *order, Tree *ret)
{
    const PathSet *set = &paths->set;
    const double fraction = level_fraction(level, set->rows);
    const Path *chosen = fraction < 1 ? set->fast : set->cheapest;
    if (order->length > 0) {
        const double limit = level_sort_limit(level);
        Cost sorted = cost_sort(set->cheapest->cost, set->rows, set->cheapest->width, limit);
        chosen = set->cheapest;
        if (set->partial) {
            const Cost partial = path_sorted_cost(level, set->partial, limit);
            if (cost_at(partial, fraction) < cost_at(sorted, fraction)) {
                chosen = set->partial;
                sorted = partial;
            }
        }
        if (set->ordered && cost_at(set->ordered->cost, fraction) < cost_at(sorted, fraction))
            chosen = set->ordered;
    }
    return paths_build(level, paths, chosen, ret);
}

/* DISTINCT's order from an index, where that is cheaper than hashing. */
static bool build_distinct(Level *level, const FromPaths *paths, const SortVec *order, Tree *ret)
{
    const PathSet *set = &paths->set;
    const Query *query = level->query;
    const double groups = distinct_groups(level, set->rows), width = set->cheapest->width;
    const int columns = (int)query->distinct.length;
    const Cost sorted_input = cost_sort(set->cheapest->cost, set->rows, width, 0);
    const GroupWork compared = {.rows = set->rows, .width = width, .columns = columns};
    const Path *chosen = set->cheapest;
    Cost other = cost_group(sorted_input, &compared, false);
    if (can_hash_distinct(query)) {
        GroupWork kept = compared;
        kept.groups = groups;
        Cost hashed = cost_group(set->cheapest->cost, &kept, true);
        if (query->order_by.length > 0)
            hashed = cost_sort(hashed, groups, width, 0);
        if (hashed.total < other.total)
            other = hashed;
    }
    if (set->ordered && order->length > 0) {
        const Cost ordered = cost_group(set->ordered->cost, &compared, false);
        double part;
        const double limit = rows_wanted(level, &part);
        const double fraction = MIN(part, limit / groups);
        if (cost_at(ordered, fraction) < cost_at(other, fraction))
            chosen = set->ordered;
    }
    return paths_build(level, paths, chosen, ret);
}

/* FROM, WHERE and GROUP BY. */
static bool plan_rows(Level *level, ExprVec *quals, const ExprVec *needed, Tree *ret)
{
    const Query *query = level->query;
    const bool is_grouped = query_is_grouped(query), is_distinct = query->distinct.length > 0;
    const bool is_plain = !is_grouped && !query->has_windows && !query->has_srfs;
    FromPaths paths = {0};
    SortVec order = {0};

    if (is_grouped)
        plan_merged_order(level, &query->group_by, &order);
    else if (query->has_windows)
        plan_window_order(level, &order);
    else if (is_plain && is_distinct)
        plan_merged_order(level, &query->distinct, &order);
    else if (is_plain)
        order = query->order_by;
    double fraction;
    const double limit = rows_wanted(level, &fraction);
    level->group_limit =
        is_grouped && !query->has_windows && !query->has_srfs && !is_distinct ? limit : INFINITY;
    const bool streams = query->has_windows && !query->has_srfs && !is_grouped && !is_distinct &&
                         plan_windows_end_sorted(level);
    if ((is_plain && !is_distinct) || streams) {
        level->limit_rows = limit;
        level->limit_fraction = fraction;
    }
    if (query->from.length == 0) {
        Tree *tree = ARENA_NEW(level->planner->arena, Tree);
        TRY(plan_no_from(level, quals, tree));
        paths_of_tree(level, tree, &paths);
    } else {
        TRY(paths_from(level, quals, needed, &order, &paths));
    }
    if (is_grouped)
        return plan_grouping(level, &paths, ret);
    if (is_plain && is_distinct)
        return build_distinct(level, &paths, &order, ret);
    return build_ordered(level, &paths, &order, ret);
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

/* What has been put off till the rows are in order. */
static bool plan_late_targets(Level *level, const ExprVec *late, ExprVec *out, Plan **plan)
{
    ExprVec targets = {0};
    TRY(plan_fix_list(level, late, out, NULL, &targets));
    TRY(plan_project(level, plan, &targets));
    *out = *late;
    return true;
}

static bool is_fixed(const Expr *expr)
{
    return !expr || expr->kind == EXPR_PARAM ||
           (expr->kind == EXPR_CONST && !EXPR_AS(const ExprConst, expr)->is_null);
}

/* Sorts what a LIMIT further up may let through. */
static bool sort_below_limit(Level *level, const SortKeyVec *keys, Presorted done, Plan **plan)
{
    const Query *query = level->query;
    Expr *count, *offset = NULL;
    if (!query->limit_count || !is_fixed(query->limit_count) || !is_fixed(query->limit_offset) ||
        query->limit_option == LIMIT_OPTION_WITH_TIES || done.keys > 0) {
        *plan = plan_add_sort(level, *plan, keys, done, 0);
        return true;
    }
    TRY(count = plan_fix(level, query->limit_count, NULL, NULL));
    if (query->limit_offset)
        TRY(offset = plan_fix(level, query->limit_offset, NULL, NULL));
    *plan = plan_top_n(level, *plan, keys, count, offset);
    ((TopNPlan *)*plan)->is_below_limit = true;
    return true;
}

/* LIMIT and ORDER BY. */
static bool plan_end(Level *level, const ExprVec *late, ExprVec *out, Presorted done, Plan **plan)
{
    const Query *query = level->query;
    SortKeyVec keys = {0};
    TRY(plan_sort_keys(level, &query->order_by, out, &keys));
    if (late->length > 0) {
        TRY(sort_below_limit(level, &keys, done, plan));
        TRY(plan_late_targets(level, late, out, plan));
        done.keys = (int)keys.length;
        keys = (SortKeyVec){0};
        TRY(plan_sort_keys(level, &query->order_by, out, &keys));
    }
    if (query->limit_count || query->limit_offset)
        return (*plan = plan_limit(level, *plan, &keys, done)) != NULL;
    *plan = plan_add_sort(level, *plan, &keys, done, 0);
    return true;
}

/* A query's junk columns stay behind at the right end; who must not see them asks for less. */
static Plan *plan_select(Level *level, ExprVec *ret_out)
{
    Arena *arena = level->planner->arena;
    Query *query = level->query;
    ExprVec needed = {0}, quals = {0}, late = {0};
    SortKeyVec keys = {0};
    Tree tree;

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
        TRY(plan_rows(level, &quals, &needed, &tree));
        if (query_is_grouped(query) || query->has_windows || query->distinct.length > 0 ||
            query->has_srfs || !is_table_scan(tree.plan))
            level->cursor_rel = 0;
        if (query->has_windows)
            TRY(plan_windows(level, &tree));
        const Presorted before = plan_presorted(level, &tree, &query->order_by);
        const bool is_sorted = (size_t)before.keys == query->order_by.length &&
                               (query->distinct.length == 0 || query_is_grouped(query));
        TRY(plan_targets(level, &tree, is_sorted, &late));
    }
    TRY(plan_sort_keys(level, &query->order_by, &tree.out, &keys));
    if (query->distinct.length > 0)
        TRY(tree.plan = plan_distinct(level, &tree));
    Presorted done = plan_presorted(level, &tree, &query->order_by);
    Plan *plan = tree.plan;
    if (query->row_marks.length > 0) {
        plan = plan_add_sort(level, plan, &keys, done, 0);
        done.keys = (int)keys.length;
    }
    TRY(plan = plan_locks(level, plan));
    const bool is_in_order =
        (size_t)done.keys == keys.length || query->limit_count || query->limit_offset;
    TRY(plan_end(level, &late, &tree.out, done, &plan));
    if (level->cursor_rel && (is_in_order || keys.length == 0))
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

static WalkStep refuses_constant(void *context, Expr *expr, int depth)
{
    (void)context;
    const bool varies =
        (expr->kind == EXPR_COLUMN && EXPR_AS(ExprColumn, expr)->levels_up == depth) ||
        (expr->kind == EXPR_AGGREGATE && EXPR_AS(ExprAggregate, expr)->levels_up == depth) ||
        expr->kind == EXPR_GROUPING || (expr->kind == EXPR_WINDOW_FUNCTION && depth == 0);
    return varies ? WALK_STOP : WALK_CHILDREN;
}

/* What is the same in every row of a query orders nothing. */
static void drop_constant_order(Level *level)
{
    Query *query = level->query;
    SortVec kept = {0};
    if (query->has_srfs || query->distinct.length > 0 || query->set_op)
        return;
    for (size_t i = 0; i < query->order_by.length; i++) {
        Expr *expr = query_target_by_ref(query, query->order_by.items[i].ref)->expr;
        if (!expr_walk_deep(expr, 0, refuses_constant, NULL) ||
            expr_is_volatile(level->planner->session, expr))
            VEC_PUSH(level->planner->arena, &kept, query->order_by.items[i]);
    }
    query->order_by = kept;
}

static Plan *plan_command(Level *level, ExprVec *ret_out)
{
    if (level->query->command == QUERY_SELECT) {
        move_having(level);
        drop_constant_order(level);
        TRY(plan_min_max(level->planner, level->query));
        return plan_select(level, ret_out);
    }
    TRY(query_visit_exprs(level->query, prepare_expr, level));
    return plan_modify(level, ret_out);
}

Plan *plan_query(Level *level, ExprVec *ret_out)
{
    if (task_stack_left() < 32 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    CHECK_INTERRUPTS();
    TRY(plan_pull_up(level->planner, level->query));
    TRY(level_note_relations(level));
    TRY(plan_ctes(level));
    Plan *plan = plan_command(level, ret_out);
    TRY(plan);
    for (size_t i = 0; i < level->init_plans.length; i++)
        VEC_PUSH(level->planner->arena, &plan->init_plans, level->init_plans.items[i]);
    return plan;
}
