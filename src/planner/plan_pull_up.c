#include "planner/plan_internal.h"

/*
 * Rewriting a query before it is planned: simple subqueries and views become part of the query
 * around them, IN (SELECT …) and [NOT] EXISTS (SELECT …) in WHERE become semi and anti joins. The
 * result is a query of the same meaning with fewer levels; entries that have been taken apart stay
 * in the range table (for privileges) without their subquery.
 */

enum { MOST_RELATIONS = 60 };

/* ---- moving a subquery's contents up one level ---- */

typedef struct Move {
    Arena *arena;
    int offset; /* its entry i becomes offset + i */
} Move;

static Expr *move_step(void *context, Expr *expr, int depth)
{
    const Move *move = context;
    int rel = 0, levels = -1;
    if (expr->kind == EXPR_COLUMN) {
        rel = EXPR_AS(ExprColumn, expr)->rel;
        levels = EXPR_AS(ExprColumn, expr)->levels_up;
    }
    if (levels < depth)
        return NULL;
    ExprColumn *copy = arena_copy(move->arena, expr, sizeof(ExprColumn));
    if (levels == depth)
        copy->rel = rel + move->offset;
    else
        copy->levels_up--;
    return &copy->base;
}

static void lower_ctes(Query *query, int depth);

static bool lower_in_expr(void *context, Expr *expr)
{
    const int *depth = context;
    if (expr->kind == EXPR_SUB_LINK)
        lower_ctes(EXPR_AS(ExprSubLink, expr)->query, *depth + 1);
    return expr_walk(expr, lower_in_expr, context);
}

static bool lower_slot(void *context, Expr **expr)
{
    return lower_in_expr(context, *expr);
}

/* WITH items outside are one level nearer. */
static void lower_ctes(Query *query, int depth)
{
    for (size_t i = 0; i < query->range_table.length; i++) {
        RangeTableEntry *rte = query->range_table.items[i];
        if (rte->kind == RANGE_CTE && rte->cte_levels_up > depth)
            rte->cte_levels_up--;
        if (rte->subquery)
            lower_ctes(rte->subquery, depth + 1);
    }
    for (size_t i = 0; i < query->ctes.length; i++)
        lower_ctes(query->ctes.items[i]->query, depth + 1);
    (void)query_visit_exprs(query, lower_slot, &depth);
}

static void offset_items(FromItem *item, int offset)
{
    if (item->rel)
        item->rel += offset;
    if (item->kind == FROM_JOIN) {
        offset_items(item->left, offset);
        offset_items(item->right, offset);
    }
}

/* A copy of the subquery speaking of the outer query's range table, to which its own is added. */
static Query *move_up(Planner *planner, Query *outer, const Query *sub)
{
    Move move = {planner->arena, (int)outer->range_table.length};
    Query *copy = query_copy_replaced(planner->arena, sub, 0, move_step, &move);
    TRY(copy);
    lower_ctes(copy, 0);
    for (size_t i = 0; i < copy->from.length; i++)
        offset_items(copy->from.items[i], move.offset);
    for (size_t i = 0; i < copy->range_table.length; i++)
        VEC_PUSH(planner->arena, &outer->range_table, copy->range_table.items[i]);
    return copy;
}

static FromItem *join_items(Planner *planner, FromItem *left, FromItem *right, JoinKind kind,
                            Expr *condition)
{
    FromItem *join = ARENA_NEW(planner->arena, FromItem);
    join->kind = FROM_JOIN;
    join->join_type = kind;
    join->left = left;
    join->right = right;
    join->condition = condition;
    join->collapse = COLLAPSE_ALWAYS;
    return join;
}

static FromItem *items_as_one(Planner *planner, FromItem *const *items, size_t count,
                              Collapse collapse)
{
    FromItem *one = items[0];
    for (size_t i = 1; i < count; i++) {
        one = join_items(planner, one, items[i], JOINS_INNER, NULL);
        one->collapse = collapse;
    }
    return one;
}

/* ---- which subqueries are simple ---- */

static WalkStep find_foreign_aggregate(void *context, Expr *expr, int depth)
{
    (void)context;
    return expr->kind == EXPR_AGGREGATE && EXPR_AS(ExprAggregate, expr)->levels_up >= depth
               ? WALK_STOP
               : WALK_CHILDREN;
}

static bool only_columns(const Query *sub)
{
    for (size_t i = 0; i < sub->targets.length; i++) {
        const Expr *expr = sub->targets.items[i].expr;
        if (expr->kind != EXPR_COLUMN || EXPR_AS(const ExprColumn, expr)->levels_up > 0)
            return false;
    }
    return true;
}

static bool is_simple(Planner *planner, const Query *outer, Query *sub)
{
    if (sub->command != QUERY_SELECT || sub->set_op || sub->has_aggregates || sub->having ||
        sub->group_by.length > 0 || sub->grouping_sets.length > 0 || sub->has_windows ||
        sub->has_srfs || sub->distinct.length > 0 || sub->limit_count || sub->limit_offset ||
        sub->order_by.length > 0 || sub->ctes.length > 0 || sub->row_marks.length > 0 ||
        sub->from.length == 0 || sub->is_values)
        return false;
    if (outer->range_table.length + sub->range_table.length > MOST_RELATIONS)
        return false;
    /* A group column is null in other sets than its own, whatever it is made of. */
    if (outer->grouping_sets.length > 0 && !only_columns(sub))
        return false;
    for (size_t i = 0; i < sub->targets.length; i++)
        if (expr_is_volatile(planner->session, sub->targets.items[i].expr))
            return false;
    return query_walk_deep(sub, 0, find_foreign_aggregate, NULL);
}

/* ---- pulling up ---- */

typedef struct Replace {
    Planner *planner;
    int rel;
    const Query *moved;
} Replace;

static Expr *raise_own(void *context, Expr *expr, int depth)
{
    const int *raise = ((void **)context)[1];
    Arena *arena = ((void **)context)[0];
    if (expr->kind != EXPR_COLUMN || EXPR_AS(ExprColumn, expr)->levels_up < depth)
        return NULL;
    ExprColumn *copy = arena_copy(arena, expr, sizeof(ExprColumn));
    copy->levels_up += *raise;
    return &copy->base;
}

static const TargetEntry *visible_target(const Query *query, int number)
{
    for (size_t i = 0; i < query->targets.length; i++)
        if (!query->targets.items[i].is_junk && --number == 0)
            return &query->targets.items[i];
    return NULL;
}

static Expr *replace_step(void *context, Expr *expr, int depth)
{
    const Replace *replace = context;
    Arena *arena = replace->planner->arena;
    if (expr->kind != EXPR_COLUMN)
        return NULL;
    const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
    if (column->rel != replace->rel || column->levels_up != depth)
        return expr;
    Expr *value;
    if (column->attnum == ATTNUM_WHOLE_ROW) {
        const TargetVec *targets = &replace->moved->targets;
        ExprRow *row = expr_whole_row(arena, expr, STR_NONE, (int)targets->length);
        for (size_t i = 0; i < targets->length; i++)
            if (!targets->items[i].is_junk)
                expr_whole_row_add(arena, row, targets->items[i].name, targets->items[i].expr);
        value = &row->base;
    } else {
        const TargetEntry *target = visible_target(replace->moved, column->attnum);
        if (!target)
            return expr;
        value = target->expr;
    }
    int raise = depth;
    void *arguments[2] = {arena, &raise};
    return depth == 0 ? value : expr_replace_deep(arena, value, 0, raise_own, arguments);
}

static bool replace_slot(void *context, Expr **expr)
{
    const Replace *replace = context;
    TRY(*expr = expr_replace_deep(replace->planner->arena, *expr, 0, replace_step, context));
    return true;
}

/* Lateral subqueries of this level refer to the entry too. */
static bool replace_in_subqueries(Replace *replace, Query *query)
{
    for (size_t i = 0; i < query->range_table.length; i++) {
        RangeTableEntry *rte = query->range_table.items[i];
        if (rte->subquery && rte->is_lateral)
            TRY(rte->subquery = query_copy_replaced(replace->planner->arena, rte->subquery, 1,
                                                    replace_step, replace));
    }
    return true;
}

static WalkStep outer_visit(void *context, Expr *expr, int depth)
{
    (void)context;
    const bool is_outer =
        expr->kind == EXPR_COLUMN && EXPR_AS(const ExprColumn, expr)->levels_up > depth;
    return is_outer ? WALK_STOP : WALK_CHILDREN;
}

/* Has it a join, other than an inner one, whose condition refers to the query around? Such a
 * condition is the join's, wherever what it refers to is joined: the subquery is planned alone. */
static bool joins_by_outer(FromItem *item)
{
    if (item->kind == FROM_REL)
        return false;
    return (item->join_type != JOINS_INNER && item->condition &&
            !expr_walk_deep(item->condition, 0, outer_visit, NULL)) ||
           joins_by_outer(item->left) || joins_by_outer(item->right);
}

static bool any_joins_by_outer(const Query *sub)
{
    for (size_t i = 0; i < sub->from.length; i++)
        if (joins_by_outer(sub->from.items[i]))
            return true;
    return false;
}

/* `on`: the condition of the join whose inner side the entry is, which takes its WHERE; or NULL. */
static bool pull_up_rel(Planner *planner, Query *query, FromItem **slot, bool is_nullable,
                        Expr **on)
{
    const int rel = (*slot)->rel;
    RangeTableEntry *rte = query_rte(query, rel);
    if (rte->kind != RANGE_SUBQUERY || !rte->subquery || rte->is_security_barrier)
        return true;
    for (size_t i = 0; i < query->row_marks.length; i++)
        if (query->row_marks.items[i].rel == rel)
            return true;
    Query *sub = rte->subquery;
    TRY(plan_pull_up(planner, sub));
    if (!is_simple(planner, query, sub))
        return true;
    if (is_nullable && (!only_columns(sub) || rte->is_lateral))
        return true;
    if (is_nullable && sub->where && (!on || sub->has_sublinks))
        return true;
    if (rte->is_lateral && any_joins_by_outer(sub))
        return true;
    Query *moved = move_up(planner, query, sub);
    TRY(moved);
    rte->subquery = NULL;
    *slot = items_as_one(planner, moved->from.items, moved->from.length, COLLAPSE_FROM);
    Expr **where = is_nullable && moved->where && on ? on : &query->where;
    *where = expr_and(planner->arena, *where, moved->where);
    query->has_sublinks |= moved->has_sublinks;
    Replace replace = {planner, rel, moved};
    TRY(query_visit_exprs(query, replace_slot, &replace));
    return replace_in_subqueries(&replace, query);
}

static bool pull_up_item(Planner *planner, Query *query, FromItem **slot, bool is_nullable)
{
    FromItem *item = *slot;
    if (item->kind == FROM_REL)
        return pull_up_rel(planner, query, slot, is_nullable, NULL);
    const JoinKind kind = item->join_type;
    TRY(pull_up_item(planner, query, &item->left,
                     is_nullable || kind == JOINS_RIGHT || kind == JOINS_FULL));
    /* Conditions of a semi join's inner side must not rise above the join either. */
    if (item->right->kind == FROM_REL &&
        (kind == JOINS_LEFT || kind == JOINS_SEMI || kind == JOINS_ANTI))
        return pull_up_rel(planner, query, &item->right, true, &item->condition);
    return pull_up_item(planner, query, &item->right,
                        is_nullable || kind == JOINS_LEFT || kind == JOINS_FULL ||
                            kind == JOINS_SEMI || kind == JOINS_ANTI);
}

/* ---- EXISTS and IN ---- */

/* The subquery of EXISTS joins in; the conditions that were its WHERE say which rows match. */
static bool exists_to_join(Planner *planner, Query *query, const ExprSubLink *link, JoinKind kind,
                           bool *ret_done)
{
    Query *sub = plan_exists_query(planner, link->query);
    *ret_done = false;
    if (sub->command != QUERY_SELECT || sub->set_op || sub->has_aggregates || sub->having ||
        sub->group_by.length > 0 || sub->grouping_sets.length > 0 || sub->has_windows ||
        sub->has_srfs || sub->ctes.length > 0 || sub->limit_count || sub->limit_offset ||
        sub->row_marks.length > 0 || sub->from.length == 0 || sub->is_values || !sub->where ||
        !sub->is_correlated ||
        query->range_table.length + sub->range_table.length > MOST_RELATIONS ||
        expr_is_volatile(planner->session, sub->where) ||
        !query_walk_deep(sub, 0, find_foreign_aggregate, NULL))
        return true;
    /* FROM itself must not refer outside: it is planned on its own. */
    for (size_t i = 0; i < sub->range_table.length; i++)
        if (sub->range_table.items[i]->is_lateral)
            return true;
    Query *moved = move_up(planner, query, sub);
    TRY(moved);
    FromItem *left = items_as_one(planner, query->from.items, query->from.length, COLLAPSE_ALWAYS);
    FromItem *right = items_as_one(planner, moved->from.items, moved->from.length, COLLAPSE_ALWAYS);
    FromItem *join = join_items(planner, left, right, kind, moved->where);
    query->from.length = 0;
    VEC_PUSH(planner->arena, &query->from, join);
    *ret_done = true;
    return true;
}

static Expr *column_of(Planner *planner, const Query *sub, int rel, Expr *right, int number)
{
    const TargetEntry *target = visible_target(sub, number + 1);
    Expr *column = expr_column(planner->arena, rel, number + 1, 0, target->expr);
    if (right->kind == EXPR_PARAM)
        return column;
    /* A conversion of the column: its innermost argument is the placeholder. */
    ExprCast *cast = EXPR_AS(ExprCast, right);
    if (right->kind != EXPR_CAST || cast->args.items[0]->kind != EXPR_PARAM)
        return NULL;
    ExprCast *copy = arena_copy(planner->arena, cast, sizeof(*cast));
    copy->args.items =
        arena_copy(planner->arena, cast->args.items, cast->args.length * sizeof(Expr *));
    copy->args.items[0] = column;
    return &copy->base;
}

/* x IN (SELECT …): a semi join with the subquery as one more entry. */
static bool any_to_join(Planner *planner, Query *query, const ExprSubLink *link, bool *ret_done)
{
    Query *sub = link->query;
    *ret_done = false;
    if (sub->is_correlated || sub->command != QUERY_SELECT || link->row_compare ||
        link->combine_or || query->range_table.length >= MOST_RELATIONS || query->from.length == 0)
        return true;
    for (size_t i = 0; i < link->left.length; i++)
        if (!expr_rels(link->left.items[i]) ||
            expr_is_volatile(planner->session, link->left.items[i]))
            return true;
    RangeTableEntry *rte = ARENA_NEW(planner->arena, RangeTableEntry);
    const int rel = (int)query->range_table.length + 1;
    Expr *condition = NULL;
    for (size_t i = 0; i < link->left.length; i++) {
        ExprOperator *op = EXPR_NEW(planner->arena, ExprOperator, EXPR_OPERATOR);
        Expr *right = column_of(planner, sub, rel, link->right.items[i], (int)i);
        if (!right)
            return true;
        op->base.type = TYPE_BOOL;
        op->op = link->ops.items[i];
        op->function = link->functions.items[i];
        op->input_collation = link->left.items[i]->collation;
        VEC_PUSH(planner->arena, &op->args, link->left.items[i]);
        VEC_PUSH(planner->arena, &op->args, right);
        condition = expr_and(planner->arena, condition, &op->base);
    }
    rte->kind = RANGE_SUBQUERY;
    rte->name = STR("ANY_subquery");
    rte->is_in_from = true;
    rte->columns = ARENA_ARRAY(planner->arena, RangeColumn, sub->targets.length + 1);
    for (size_t i = 0; i < sub->targets.length; i++) {
        const TargetEntry *target = &sub->targets.items[i];
        if (!target->is_junk)
            rte->columns[rte->column_count++] = (RangeColumn){.name = target->name,
                                                              .type = target->expr->type,
                                                              .typmod = target->expr->typmod,
                                                              .collation = target->expr->collation};
    }
    /* As a range table entry the query is at the same depth as in the expression. */
    rte->subquery = sub;
    VEC_PUSH(planner->arena, &query->range_table, rte);
    FromItem *right = ARENA_NEW(planner->arena, FromItem);
    right->kind = FROM_REL;
    right->rel = rel;
    FromItem *left = items_as_one(planner, query->from.items, query->from.length, COLLAPSE_ALWAYS);
    FromItem *join = join_items(planner, left, right, JOINS_SEMI, condition);
    query->from.length = 0;
    VEC_PUSH(planner->arena, &query->from, join);
    /* The semi join's inner side may itself be simple. */
    TRY(pull_up_rel(planner, query, &join->right, true, &join->condition));
    *ret_done = true;
    return true;
}

static bool convert_sublinks(Planner *planner, Query *query)
{
    ExprVec quals = {0}, kept = {0};
    if (!query->has_sublinks || query->from.length == 0 || !query->where)
        return true;
    plan_split_and(planner->arena, query->where, &quals);
    for (size_t i = 0; i < quals.length; i++) {
        Expr *qual = quals.items[i];
        bool done = false;
        const bool is_not = qual->kind == EXPR_BOOL && EXPR_AS(ExprBool, qual)->op == BOOL_NOT;
        Expr *inner = is_not ? EXPR_AS(ExprBool, qual)->args.items[0] : qual;
        if (inner->kind == EXPR_SUB_LINK) {
            const ExprSubLink *link = EXPR_AS(const ExprSubLink, inner);
            if (link->sublink == SUBLINK_EXISTS)
                TRY(exists_to_join(planner, query, link, is_not ? JOINS_ANTI : JOINS_SEMI, &done));
            else if (link->sublink == SUBLINK_ANY && !is_not)
                TRY(any_to_join(planner, query, link, &done));
        }
        if (!done)
            VEC_PUSH(planner->arena, &kept, qual);
    }
    query->where = expr_and_list(planner->arena, &kept);
    return true;
}

bool plan_pull_up(Planner *planner, Query *query)
{
    if (query->set_op)
        return true;
    for (size_t i = 0; i < query->from.length; i++)
        TRY(pull_up_item(planner, query, &query->from.items[i], false));
    if (query->command == QUERY_SELECT)
        TRY(convert_sublinks(planner, query));
    return true;
}
