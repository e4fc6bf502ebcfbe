#include <math.h>

#include "base/scheduler.h"
#include "base/settings.h"
#include "planner/plan_path.h"
#include "planner/variable.h"

enum { DP_LIMIT = 10 };

/* ---- plan nodes of two trees ---- */

static void concat_outputs(Arena *arena, JoinKind kind, const Tree *left, const Tree *right,
                           ExprVec *ret)
{
    for (size_t i = 0; i < left->out.length; i++)
        VEC_PUSH(arena, ret, left->out.items[i]);
    if (kind == JOINS_SEMI || kind == JOINS_ANTI)
        return;
    for (size_t i = 0; i < right->out.length; i++)
        VEC_PUSH(arena, ret, right->out.items[i]);
}

typedef struct Sides {
    Tree left, right;
} Sides;

static bool finish_join(Level *level, JoinPlan *join, const Path *path, const Sides *sides,
                        Tree *ret)
{
    const Tree *left = &sides->left, *right = &sides->right;
    Arena *arena = level->planner->arena;
    ExprVec out = {0}, targets = {0};
    concat_outputs(arena, path->join, left, right, &out);
    TRY(plan_fix_list(level, &out, &left->out, &right->out, &targets));
    join->join_type = path->join;
    join->base.left = left->plan;
    join->base.right = right->plan;
    join->base.rows = path->rows;
    join->base.startup_cost = path->cost.startup;
    join->base.total_cost = path->cost.total;
    join->inner_unique = path->inner_unique;
    plan_set_targets(level, &join->base, &targets);
    ret->plan = &join->base;
    ret->out = out;
    ret->rels = left->rels | right->rels;
    ret->needs = (left->needs | right->needs) & ~ret->rels;
    ret->one_row = path->one_row;
    return true;
}

/* Params of the inner side whose columns the outer side has are set by the join. */
static bool nest_params(Level *level, const Tree *left, const Tree *right, NestLoopPlan *nest,
                        Tree *ret)
{
    Arena *arena = level->planner->arena;
    for (size_t i = 0; i < right->params.length; i++) {
        const int number = right->params.items[i];
        Expr *column = NULL;
        for (size_t k = 0; k < level->params.length; k++)
            if (level->params.items[k].number == number)
                column = level->params.items[k].column;
        if (!column)
            continue;
        if (!covers(left->rels, expr_rels(column))) {
            VEC_PUSH(arena, &ret->params, number);
            continue;
        }
        Expr *value = plan_fix(level, column, &left->out, NULL);
        TRY(value);
        const NestLoopParam param = {number, value};
        VEC_PUSH(arena, &nest->params, param);
    }
    for (size_t i = 0; i < left->params.length; i++)
        VEC_PUSH(arena, &ret->params, left->params.items[i]);
    return true;
}

static bool nest_loop(Level *level, const Path *path, Sides *sides, const ExprVec *quals, Tree *ret)
{
    const Tree *left = &sides->left;
    Tree *right = &sides->right;
    NestLoopPlan *nest = PLAN_NEW(level, NestLoopPlan, PLAN_NEST_LOOP);
    if (right->params.length == 0 && !left->one_row)
        right->plan = plan_keep_rows(level, right->plan);
    TRY(plan_fix_list(level, quals, &left->out, &right->out, &nest->join.condition));
    TRY(nest_params(level, left, right, nest, ret));
    return finish_join(level, &nest->join, path, sides, ret);
}

/* The condition with the left input's side first. */
static Expr *outer_first(Level *level, Expr *qual, const Expr *left)
{
    const ExprOperator *op = EXPR_AS(const ExprOperator, qual);
    const OperatorDesc *desc = operator_find(level->planner->session, op->op);
    const Expr *first = op->args.items[0];
    const bool is_first = first == left || (left->kind == EXPR_CAST &&
                                            EXPR_AS(ExprCast, left)->args.items[0] == first);
    if (is_first || !desc || !desc->commutator)
        return qual;
    const OperatorDesc *commutator = operator_find(level->planner->session, desc->commutator);
    if (!commutator)
        return qual;
    ExprOperator *copy = arena_copy(level->planner->arena, op, sizeof(*op));
    copy->op = commutator->oid;
    copy->function = commutator->function;
    copy->args = (ExprVec){0};
    VEC_PUSH(level->planner->arena, &copy->args, op->args.items[1]);
    VEC_PUSH(level->planner->arena, &copy->args, op->args.items[0]);
    return &copy->base;
}

static bool all_constant(const ExprVec *quals)
{
    for (size_t i = 0; i < quals->length; i++)
        if (quals->items[i]->kind != EXPR_CONST)
            return false;
    return true;
}

static bool hash_join(Level *level, const Path *path, const Sides *sides, Tree *ret)
{
    const Tree *left = &sides->left, *right = &sides->right;
    Arena *arena = level->planner->arena;
    ExprVec keys = {0}, rest = {0}, l = {0}, r = {0};
    for (size_t i = 0; i < path->quals.length; i++) {
        Expr *a, *b, *qual = path->quals.items[i];
        if (join_key(level, qual, left->rels, right->rels, &a, &b)) {
            Expr *key = outer_first(level, qual, a);
            VEC_PUSH(arena, &keys, key);
            VEC_PUSH(arena, &l, a);
            VEC_PUSH(arena, &r, b);
        } else {
            VEC_PUSH(arena, &rest, qual);
        }
    }
    if (keys.length == 0 && !all_constant(&rest))
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("FULL JOIN is only supported with merge-joinable or hash-joinable join "
                            "conditions"));
    if (keys.length == 0) { /* FULL JOIN ON true: all rows are of one key */
        VEC_PUSH(arena, &l, expr_int4(arena, 1));
        VEC_PUSH(arena, &r, expr_int4(arena, 1));
    }
    HashJoinPlan *join = PLAN_NEW(level, HashJoinPlan, PLAN_HASH_JOIN);
    for (size_t i = 0; i < l.length; i++) {
        Expr *a = plan_fix(level, l.items[i], &left->out, NULL);
        Expr *b = plan_fix(level, r.items[i], NULL, &right->out);
        TRY(a && b);
        VEC_PUSH(arena, &join->left_keys, a);
        VEC_PUSH(arena, &join->right_keys, b);
    }
    TRY(plan_fix_list(level, &keys, &left->out, &right->out, &join->conditions));
    TRY(plan_fix_list(level, &rest, &left->out, &right->out, &join->join.condition));
    for (size_t i = 0; i < left->params.length; i++)
        VEC_PUSH(arena, &ret->params, left->params.items[i]);
    for (size_t i = 0; i < right->params.length; i++)
        VEC_PUSH(arena, &ret->params, right->params.items[i]);
    return finish_join(level, &join->join, path, sides, ret);
}

static bool contains(const ExprVec *list, const Expr *expr)
{
    for (size_t i = 0; i < list->length; i++)
        if (list->items[i] == expr)
            return true;
    return false;
}

static bool path_build(Level *level, const Path *path, Tree *ret)
{
    Sides sides;
    if (task_stack_left() < 24 * 1024)
        FAIL(ERR_STATEMENT_TOO_COMPLEX, .message = STR("stack depth limit exceeded"));
    if (path->kind == PATH_TREE) {
        *ret = *path->leaf;
        return true;
    }
    if (path->kind == PATH_SCAN) {
        TRY(scan_build(level, &path->request, &path->choice, ret));
        ret->base_quals = *path->request.quals;
        return true;
    }
    *ret = (Tree){0};
    TRY(path_build(level, path->left, &sides.left));
    if (path->kind == PATH_INNER_SCAN) {
        ExprVec rest = {0};
        for (size_t i = 0; i < path->quals.length; i++)
            if (!contains(&path->inner.used, path->quals.items[i]))
                VEC_PUSH(level->planner->arena, &rest, path->quals.items[i]);
        TRY(scan_build(level, &path->inner.request, &path->inner.choice, &sides.right));
        return nest_loop(level, path, &sides, &rest, ret);
    }
    TRY(path_build(level, path->right, &sides.right));
    return path->kind == PATH_HASH ? hash_join(level, path, &sides, ret)
                                   : nest_loop(level, path, &sides, &path->quals, ret);
}

/* ---- outer joins that are none ---- */

static RelSet item_rels(const FromItem *item)
{
    return item->kind == FROM_REL ? REL_BIT(item->rel)
                                  : item_rels(item->left) | item_rels(item->right);
}

static bool some_strict(Level *level, const ExprVec *quals, RelSet rels)
{
    for (size_t i = 0; i < quals->length; i++)
        if (expr_is_strict_on(level->planner->session, quals->items[i], rels))
            return true;
    return false;
}

static JoinKind reduced_kind(Level *level, const FromItem *item, const ExprVec *quals)
{
    const bool left = some_strict(level, quals, item_rels(item->left));
    const bool right = some_strict(level, quals, item_rels(item->right));
    switch (item->join_type) {
    case JOINS_LEFT:
        return right ? JOINS_INNER : JOINS_LEFT;
    case JOINS_RIGHT:
        return left ? JOINS_INNER : JOINS_RIGHT;
    case JOINS_FULL:
        return left && right ? JOINS_INNER : left ? JOINS_LEFT : right ? JOINS_RIGHT : JOINS_FULL;
    default:
        return item->join_type;
    }
}

/* ---- sets of inner joins ---- */

typedef struct Leaf {
    FromItem *item;
    JoinKind kind; /* of an outer join's item after reduction */
} Leaf;

typedef VEC(Leaf) LeafVec;

static int64_t most_collapsed(const FromItem *item)
{
    switch (item->collapse) {
    case COLLAPSE_JOIN:
        return settings()->join_collapse_limit;
    case COLLAPSE_FROM:
        return settings()->from_collapse_limit;
    case COLLAPSE_ALWAYS:
        break;
    }
    return INT64_MAX;
}

/* A semi join with a table of which each row meets one at most is an inner join. */
static bool matches_one(Level *level, const FromItem *item)
{
    const FromItem *right = item->right;
    if (right->kind != FROM_REL || query_rte(level->query, right->rel)->kind != RANGE_RELATION)
        return false;
    const RelationDesc *relation =
        relation_find(level->planner->session, query_rte(level->query, right->rel)->relation);
    ExprVec on = {0};
    plan_split_and(level->planner->arena, item->condition, &on);
    return relation &&
           relation_is_unique_by(level, right->rel, relation, &on, item_rels(item->left));
}

/* How many tables the search would have to order for this item, as join_collapse_limit lets it. */
static int64_t leaf_count(Level *level, const FromItem *item, const ExprVec *quals)
{
    if (item->kind != FROM_JOIN || reduced_kind(level, item, quals) != JOINS_INNER)
        return 1;
    const int64_t left = leaf_count(level, item->left, quals);
    const int64_t right = leaf_count(level, item->right, quals);
    return left + right <= most_collapsed(item) ? left + right : 2;
}

static void collect_leaves(Level *level, FromItem *item, ExprVec *quals, LeafVec *ret);

/* One side of an inner join: its tables, or where that would be too many, what they join to. */
static void collect_side(Level *level, FromItem *item, bool is_apart, ExprVec *quals, LeafVec *ret)
{
    if (!is_apart || item->kind != FROM_JOIN || reduced_kind(level, item, quals) != JOINS_INNER) {
        collect_leaves(level, item, quals, ret);
        return;
    }
    const Leaf leaf = {item, JOINS_INNER};
    VEC_PUSH(level->planner->arena, ret, leaf);
}

static void collect_leaves(Level *level, FromItem *item, ExprVec *quals, LeafVec *ret)
{
    Arena *arena = level->planner->arena;
    if (item->kind == FROM_JOIN) {
        JoinKind kind = reduced_kind(level, item, quals);
        if (kind == JOINS_SEMI && matches_one(level, item))
            kind = JOINS_INNER;
        if (kind == JOINS_INNER) {
            plan_split_and(arena, item->condition, quals);
            const bool is_apart =
                leaf_count(level, item->left, quals) + leaf_count(level, item->right, quals) >
                most_collapsed(item);
            collect_side(level, item->left, is_apart, quals, ret);
            collect_side(level, item->right, is_apart, quals, ret);
            return;
        }
        const Leaf leaf = {item, kind};
        VEC_PUSH(arena, ret, leaf);
        return;
    }
    const Leaf leaf = {item, JOINS_INNER};
    VEC_PUSH(arena, ret, leaf);
}

/* Items of FROM that are joined with each other. */
typedef struct FromList {
    FromItem *const *items;
    size_t count;
} FromList;

/* What is made of the rows: the columns needed, and the order that would be welcome. */
typedef struct Wanted {
    const ExprVec *columns;
    const SortVec *order; /* NULL: any */
} Wanted;

static MUST_CHECK bool plan_set(Level *level, const FromList *from, ExprVec *quals,
                                const Wanted *wanted, PathSet *ret);

/* Moves the conditions that `rels` alone decide from the pool. */
static void take_quals(Arena *arena, ExprVec *pool, RelSet rels, bool with_constant, ExprVec *ret)
{
    size_t kept = 0;
    for (size_t i = 0; i < pool->length; i++) {
        Expr *qual = pool->items[i];
        const RelSet of = expr_rels(qual);
        if ((of || with_constant) && covers(rels, of))
            VEC_PUSH(arena, ret, qual);
        else
            pool->items[kept++] = qual;
    }
    pool->length = kept;
}

/*
 * Moves the conditions without columns from the pool: they are decided apart from the rows. With
 * one relation alone volatile ones are conditions of its rows like others.
 */
static void take_constants(const Level *level, ExprVec *pool, FromItem *const *items, size_t count,
                           ExprVec *ret)
{
    const bool is_single = count == 1 && items[0]->kind == FROM_REL;
    size_t kept = 0;
    for (size_t i = 0; i < pool->length; i++) {
        Expr *qual = pool->items[i];
        if (expr_rels(qual) == 0 &&
            !(is_single && expr_is_volatile_itself(level->planner->session, qual)))
            VEC_PUSH(level->planner->arena, ret, qual);
        else
            pool->items[kept++] = qual;
    }
    pool->length = kept;
}

static bool add_filter(Level *level, Tree *tree, const ExprVec *quals)
{
    for (size_t i = 0; i < quals->length; i++) {
        /* Joins filter over both children; the conditions speak of their output's parts. */
        Expr *qual;
        Plan *plan = tree->plan;
        if (plan->kind == PLAN_NEST_LOOP || plan->kind == PLAN_HASH_JOIN) {
            ExprVec left = {0}, right = {0};
            const int left_count = plan->left->column_count;
            for (size_t c = 0; c < tree->out.length; c++) {
                if ((int)c < left_count)
                    VEC_PUSH(level->planner->arena, &left, tree->out.items[c]);
                else
                    VEC_PUSH(level->planner->arena, &right, tree->out.items[c]);
            }
            TRY(qual = plan_fix(level, quals->items[i], &left, &right));
            VEC_PUSH(level->planner->arena, &plan->filter, qual);
        } else {
            ResultPlan *result = PLAN_NEW(level, ResultPlan, PLAN_RESULT);
            ExprVec targets = {0};
            TRY(plan_fix_list(level, &tree->out, &tree->out, NULL, &targets));
            plan_set_targets(level, &result->base, &targets);
            result->base.left = plan;
            result->base.rows = plan->rows;
            result->base.total_cost = plan->total_cost;
            TRY(qual = plan_fix(level, quals->items[i], &tree->out, NULL));
            VEC_PUSH(level->planner->arena, &result->base.filter, qual);
            tree->plan = &result->base;
            tree->rel = 0;
        }
        tree->plan->rows = MAX(1, rint(tree->plan->rows * selectivity_of(level, quals->items[i])));
    }
    return true;
}

/* ---- paths ---- */

double level_fraction(const Level *level, double rows)
{
    return MIN(level->limit_fraction, level->limit_rows / MAX(1, rows));
}

double level_sort_limit(const Level *level)
{
    return isinf(level->limit_rows) || level->query->has_windows ? 0 : level->limit_rows;
}

static const Path *chosen_path(const Level *level, const PathSet *set)
{
    return level_fraction(level, set->rows) < 1 ? set->fast : set->cheapest;
}

static double presorted_groups(Level *level, int count, double rows)
{
    ExprVec exprs = {0};
    for (int i = 0; i < count; i++)
        VEC_PUSH(level->planner->arena, &exprs,
                 query_target_by_ref(level->query, level->order->items[i].ref)->expr);
    return group_estimate(level, &exprs, rows);
}

Cost path_sorted_cost(Level *level, const Path *path, double limit)
{
    if (!level->order || path->presorted == (int)level->order->length)
        return path->cost;
    if (path->presorted == 0)
        return cost_sort(path->cost, path->rows, path->width, limit);
    const SortWork work = {.rows = path->rows,
                           .width = path->width,
                           .groups = presorted_groups(level, path->presorted, path->rows),
                           .limit = limit};
    return cost_incremental_sort(path->cost, &work);
}

/* Rows that are partly in order are worth what they cost when they are wholly so. */
static void offer_partial(Level *level, PathSet *set, const Path *path, double fraction)
{
    const double limit = level_sort_limit(level);
    if (!set->partial || cost_at(path_sorted_cost(level, path, limit), fraction) <
                             cost_at(path_sorted_cost(level, set->partial, limit), fraction))
        set->partial = path;
}

void path_offer(Level *level, PathSet *set, const Path *path)
{
    const double fraction = level_fraction(level, path->rows);
    const int whole = level->order ? (int)level->order->length : 0;
    set->rows = path->rows;
    if (!set->cheapest || path->cost.total < set->cheapest->cost.total)
        set->cheapest = path;
    if (!set->fast || cost_at(path->cost, fraction) < cost_at(set->fast->cost, fraction))
        set->fast = path;
    if (path->presorted > 0 && path->presorted < whole)
        offer_partial(level, set, path, fraction);
    else if (path->presorted > 0 && (!set->ordered || cost_at(path->cost, fraction) <
                                                          cost_at(set->ordered->cost, fraction)))
        set->ordered = path;
}

static double exprs_width(const Tree *tree)
{
    return tree->plan->width;
}

static void offer_tree(Level *level, const Tree *tree, PathSet *ret)
{
    Path *path = ARENA_NEW(level->planner->arena, Path);
    *path = (Path){.kind = PATH_TREE,
                   .cost = {tree->plan->startup_cost, tree->plan->total_cost},
                   .rows = tree->plan->rows,
                   .width = exprs_width(tree),
                   .one_row = tree->one_row,
                   .leaf = tree};
    path_offer(level, ret, path);
}

static double scan_width(Level *level, int rel, const ExprVec *needed)
{
    const RelationDesc *relation =
        relation_find(level->planner->session, query_rte(level->query, rel)->relation);
    double width = 0;
    for (size_t i = 0; relation && i < needed->length; i++) {
        const ExprColumn *column = EXPR_AS(const ExprColumn, needed->items[i]);
        if (needed->items[i]->kind == EXPR_COLUMN && column->rel == rel && column->levels_up == 0)
            width += column->attnum > 0
                         ? column_width(level->planner->session, relation, column->attnum)
                         : 8;
    }
    return width;
}

void paths_of_tree(Level *level, const Tree *tree, FromPaths *ret)
{
    *ret = (FromPaths){0};
    offer_tree(level, tree, &ret->set);
}

static bool offer_scan(Level *level, const Tree *tree, const ScanRequest *request, PathSet *ret)
{
    Path *path = ARENA_NEW(level->planner->arena, Path);
    *path = (Path){.kind = PATH_SCAN, .leaf = tree, .request = *request};
    TRY(scan_choose(level, request, &path->choice));
    if (!path->choice.is_known)
        return true;
    path->cost = path->choice.cost;
    path->rows = path->choice.rows;
    path->width = scan_width(level, request->rel, request->needed);
    path->one_row = path->choice.match.is_unique;
    path->presorted = path->choice.presorted;
    level_note_rows(level, request->rel, path->rows);
    path_offer(level, ret, path);
    return true;
}

/* A table: its cheapest scan, the best for a part of the rows, and one in order. */
static bool offer_table(Level *level, int rel, const ExprVec *quals, const Wanted *wanted,
                        PathSet *ret)
{
    Arena *arena = level->planner->arena;
    const SortVec *order = wanted->order;
    Tree *tree = ARENA_NEW(arena, Tree);
    *tree = (Tree){.rel = rel, .rels = REL_BIT(rel), .base_quals = *quals};
    ScanRequest request = {.rel = rel,
                           .quals = &tree->base_quals,
                           .needed = wanted->columns,
                           .order = order,
                           .fraction = 1};
    TRY(offer_scan(level, tree, &request, ret));
    if (level_fraction(level, ret->rows) < 1) {
        request.fraction = level_fraction(level, ret->rows);
        TRY(offer_scan(level, tree, &request, ret));
    }
    if (!order || order->length == 0)
        return true;
    request.needs_presorted = (int)order->length;
    request.fraction = level_fraction(level, ret->rows);
    TRY(offer_scan(level, tree, &request, ret));
    if (order->length == 1 || !settings()->enable_incremental_sort)
        return true;
    request.needs_presorted = 1;
    return offer_scan(level, tree, &request, ret);
}

static bool is_plain_table(Level *level, int rel, const ExprVec *quals)
{
    return query_rte(level->query, rel)->kind == RANGE_RELATION &&
           !scan_is_by_row_id(level, rel, quals);
}

/* Conditions without columns are decided once, before any row is read. */
static bool add_constant(Level *level, Tree *tree, const ExprVec *constant)
{
    ResultPlan *result = PLAN_NEW(level, ResultPlan, PLAN_RESULT);
    ExprVec targets = {0};
    double passing = 1;
    TRY(plan_fix_list(level, &tree->out, &tree->out, NULL, &targets));
    plan_set_targets(level, &result->base, &targets);
    for (size_t i = 0; i < constant->length; i++) {
        const bool is_volatile =
            expr_is_volatile_itself(level->planner->session, constant->items[i]);
        Expr *qual = plan_fix(level, constant->items[i], NULL, NULL);
        TRY(qual);
        passing *= selectivity_of(level, constant->items[i]) > 0;
        if (is_volatile)
            VEC_PUSH(level->planner->arena, &result->base.filter, qual);
        else
            VEC_PUSH(level->planner->arena, &result->one_time_filter, qual);
    }
    result->base.left = tree->plan;
    result->base.rows = tree->plan->rows * passing;
    result->base.startup_cost = tree->plan->startup_cost;
    result->base.total_cost = tree->plan->total_cost;
    tree->plan = &result->base;
    tree->rel = 0;
    return true;
}

/* ---- leaves ---- */

static bool plan_outer_join(Level *level, const Leaf *leaf, ExprVec *pool, const ExprVec *needed,
                            Tree *ret)
{
    Arena *arena = level->planner->arena;
    const FromItem *item = leaf->item;
    JoinKind kind = leaf->kind;
    FromItem *left_item = item->left, *right_item = item->right;
    ExprVec on = {0}, left_quals = {0}, right_quals = {0};
    PathSet left = {0}, right = {0}, joined = {0};

    if (kind == JOINS_RIGHT) { /* the same with sides changed */
        left_item = item->right;
        right_item = item->left;
        kind = JOINS_LEFT;
    }
    plan_split_and(arena, item->condition, &on);
    if (kind == JOINS_LEFT || kind == JOINS_SEMI || kind == JOINS_ANTI) {
        take_quals(arena, pool, item_rels(left_item), false, &left_quals);
        take_quals(arena, &on, item_rels(right_item), false, &right_quals);
    }
    const Wanted wanted = {.columns = needed};
    TRY(plan_set(level, &(FromList){&left_item, 1}, &left_quals, &wanted, &left));
    TRY(plan_set(level, &(FromList){&right_item, 1}, &right_quals, &wanted, &right));
    JoinRequest request = {.kind = kind,
                           .left = &left,
                           .right = &right,
                           .left_rels = item_rels(left_item),
                           .right_rels = item_rels(right_item),
                           .quals = on,
                           .needed = needed};
    const Tree *inner = right.cheapest->kind == PATH_TREE ? right.cheapest->leaf : NULL;
    request.is_lateral = inner && (inner->needs & request.left_rels) != 0;
    request.rows = join_rows(level, &request);
    TRY(join_offer(level, &request, &joined));
    if (!joined.cheapest)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("FULL JOIN is only supported with merge-joinable or hash-joinable join "
                            "conditions"));
    return path_build(level, chosen_path(level, &joined), ret);
}

typedef struct LeafPaths {
    PathSet paths;
    RelSet rels, needs;
} LeafPaths;

/* Inner joins that are ordered among themselves, before the others. */
static bool plan_apart(Level *level, FromItem *item, ExprVec *quals, const ExprVec *needed,
                       LeafPaths *ret)
{
    Tree *tree = ARENA_NEW(level->planner->arena, Tree);
    PathSet paths = {0};

    TRY(plan_set(level, &(FromList){&item, 1}, quals, &(Wanted){.columns = needed}, &paths));
    TRY(path_build(level, chosen_path(level, &paths), tree));
    ret->needs = tree->needs;
    offer_tree(level, tree, &ret->paths);
    return true;
}

static bool plan_leaf(Level *level, const Leaf *leaf, ExprVec *pool, const Wanted *wanted,
                      LeafPaths *ret)
{
    Arena *arena = level->planner->arena;
    const ExprVec *needed = wanted->columns;
    ExprVec quals = {0};
    const RelSet rels = item_rels(leaf->item);
    ret->rels = rels;
    if (leaf->item->kind == FROM_REL) {
        take_quals(arena, pool, rels, true, &quals);
        if (is_plain_table(level, leaf->item->rel, &quals))
            return offer_table(level, leaf->item->rel, &quals, wanted, &ret->paths);
    }
    Tree *tree = ARENA_NEW(arena, Tree);
    if (leaf->item->kind == FROM_JOIN && leaf->kind == JOINS_INNER) {
        take_quals(arena, pool, rels, false, &quals);
        return plan_apart(level, leaf->item, &quals, needed, ret);
    }
    if (leaf->item->kind == FROM_REL) {
        TRY(plan_base(level, leaf->item->rel, &quals, needed, tree));
    } else {
        TRY(plan_outer_join(level, leaf, pool, needed, tree));
        take_quals(arena, pool, rels, false, &quals);
        TRY(add_filter(level, tree, &quals));
    }
    ret->needs = tree->needs;
    offer_tree(level, tree, &ret->paths);
    return true;
}

/* ---- the order of inner joins ---- */

typedef struct Order {
    Level *level;
    LeafPaths *leaves;
    int count;
    const ExprVec *quals, *needed;
    RelSet *qual_rels;
    double *qual_selectivity;
    bool joins_unconnected; /* products too: nothing else is left */
} Order;

static RelSet set_rels(const Order *order, uint32_t set)
{
    RelSet rels = 0;
    for (int i = 0; i < order->count; i++)
        if (set & (1u << i))
            rels |= order->leaves[i].rels;
    return rels;
}

static double set_rows(const Order *order, uint32_t set)
{
    const RelSet rels = set_rels(order, set);
    double rows = 1;
    for (int i = 0; i < order->count; i++)
        if (set & (1u << i))
            rows *= order->leaves[i].paths.rows;
    for (size_t q = 0; q < order->quals->length; q++)
        if (covers(rels, order->qual_rels[q]))
            rows *= order->qual_selectivity[q];
    return MAX(1, rint(rows));
}

static RelSet set_needs(const Order *order, uint32_t set)
{
    RelSet needs = 0;
    for (int i = 0; i < order->count; i++)
        if (set & (1u << i))
            needs |= order->leaves[i].needs;
    return needs & ~set_rels(order, set);
}

/* Joins two sets to `rows` where a condition or a lateral reference connects them. */
static bool join_sets(const Order *order, const LeafPaths *left, const LeafPaths *right,
                      double rows, PathSet *ret)
{
    const RelSet a = left->rels, b = right->rels;
    JoinRequest request = {.kind = JOINS_INNER,
                           .left = &left->paths,
                           .right = &right->paths,
                           .left_rels = a,
                           .right_rels = b,
                           .is_lateral = (right->needs & a) != 0,
                           .needed = order->needed,
                           .rows = rows,
                           .keeps_order = true};
    for (size_t q = 0; q < order->quals->length; q++)
        if (covers(a | b, order->qual_rels[q]) && !covers(a, order->qual_rels[q]) &&
            !covers(b, order->qual_rels[q]))
            VEC_PUSH(order->level->planner->arena, &request.quals, order->quals->items[q]);
    if (request.quals.length == 0 && !request.is_lateral && !order->joins_unconnected)
        return true;
    return join_offer(order->level, &request, ret);
}

static bool join_subset(const Order *order, PathSet *table, uint32_t set)
{
    const double rows = set_rows(order, set);
    for (uint32_t part = (0 - set) & set; part != set; part = (part - set) & set) {
        const uint32_t rest = set & ~part;
        if (!table[part].cheapest || !table[rest].cheapest)
            continue;
        const LeafPaths left = {table[part], set_rels(order, part), set_needs(order, part)};
        const LeafPaths right = {table[rest], set_rels(order, rest), set_needs(order, rest)};
        /* Lateral references go from the right side to the left only. */
        if (!(left.needs & right.rels))
            TRY(join_sets(order, &left, &right, rows, &table[set]));
    }
    return true;
}

static bool join_dp(Order *order, PathSet *ret)
{
    PathSet *table = ARENA_ARRAY(order->level->planner->arena, PathSet, (size_t)1 << order->count);
    const uint32_t all = (1u << order->count) - 1;
    for (int i = 0; i < order->count; i++)
        table[1u << i] = order->leaves[i].paths;
    /* Products of unconnected sets only where nothing else leads to the whole. */
    for (int pass = 0; pass < 2 && !table[all].cheapest; pass++) {
        order->joins_unconnected = pass == 1;
        for (uint32_t set = 1; set <= all; set++) {
            CHECK_INTERRUPTS();
            if ((set & (set - 1)) != 0 && !table[set].cheapest)
                TRY(join_subset(order, table, set));
        }
    }
    if (!table[all].cheapest)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("these LATERAL references cannot be ordered"));
    *ret = table[all];
    return true;
}

/* The pair that gives the fewest rows; unconnected ones last. -1: none may be joined. */
static int greedy_pair(const Order *order, int *ret_right, double *ret_rows)
{
    int best = -1;
    double best_weight = 0;
    for (int i = 0; i < order->count; i++)
        for (int j = 0; j < order->count; j++) {
            const LeafPaths *left = &order->leaves[i], *right = &order->leaves[j];
            bool connected = false;
            if (i == j || (left->needs & right->rels))
                continue;
            double rows = left->paths.rows * right->paths.rows;
            for (size_t q = 0; q < order->quals->length; q++) {
                const RelSet of = order->qual_rels[q];
                if (!covers(left->rels | right->rels, of) || covers(left->rels, of) ||
                    covers(right->rels, of))
                    continue;
                rows *= order->qual_selectivity[q];
                connected = true;
            }
            const double weight = rows + (connected ? 0 : 1e15);
            if (best < 0 || weight < best_weight) {
                best = i;
                *ret_right = j;
                best_weight = weight;
                *ret_rows = MAX(1, rint(rows));
            }
        }
    return best;
}

/* Many relations: always the pair that gives the fewest rows. */
static bool join_greedy(Order *order, PathSet *ret)
{
    order->joins_unconnected = true;
    while (order->count > 1) {
        int j = -1;
        double rows = 1;
        const int i = greedy_pair(order, &j, &rows);
        if (i < 0)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("these LATERAL references cannot be ordered"));
        const LeafPaths *left = &order->leaves[i], *right = &order->leaves[j];
        LeafPaths joined = {.rels = left->rels | right->rels};
        joined.needs = (left->needs | right->needs) & ~joined.rels;
        TRY(join_sets(order, left, right, rows, &joined.paths));
        if (!(right->needs & left->rels))
            TRY(join_sets(order, right, left, rows, &joined.paths));
        order->leaves[MIN(i, j)] = joined;
        order->leaves[MAX(i, j)] = order->leaves[--order->count];
    }
    *ret = order->leaves[0].paths;
    return true;
}

/* Is this item of FROM, with those before and behind it, beyond from_collapse_limit? */
static bool is_too_many(Level *level, const FromList *from, size_t at, size_t before,
                        const ExprVec *quals)
{
    const int64_t own = from->count > 1 ? leaf_count(level, from->items[at], quals) : 1;
    const int64_t others = (int64_t)(before + from->count - at - 1);

    return own > 1 && others + own > settings()->from_collapse_limit;
}

static bool plan_set(Level *level, const FromList *from, ExprVec *quals, const Wanted *wanted,
                     PathSet *ret)
{
    Arena *arena = level->planner->arena;
    LeafVec leaves = {0};
    ExprVec constant = {0};

    for (size_t i = 0; i < from->count; i++)
        collect_side(level, from->items[i], is_too_many(level, from, i, leaves.length, quals),
                     quals, &leaves);
    take_constants(level, quals, from->items, from->count, &constant);
    Order order = {
        .level = level, .count = (int)leaves.length, .quals = quals, .needed = wanted->columns};
    order.leaves = ARENA_ARRAY(arena, LeafPaths, leaves.length + 1);
    for (size_t i = 0; i < leaves.length; i++)
        TRY(plan_leaf(level, &leaves.items[i], quals, wanted, &order.leaves[i]));
    order.qual_rels = ARENA_ARRAY(arena, RelSet, quals->length + 1);
    order.qual_selectivity = ARENA_ARRAY(arena, double, quals->length + 1);
    for (size_t q = 0; q < quals->length; q++) {
        order.qual_rels[q] = expr_rels(quals->items[q]);
        order.qual_selectivity[q] = selectivity_of(level, quals->items[q]);
    }
    if (order.count == 1)
        *ret = order.leaves[0].paths;
    else if (order.count <= DP_LIMIT)
        TRY(join_dp(&order, ret));
    else
        TRY(join_greedy(&order, ret));
    if (constant.length == 0)
        return true;
    Tree *tree = ARENA_NEW(arena, Tree);
    TRY(path_build(level, chosen_path(level, ret), tree));
    TRY(add_constant(level, tree, &constant));
    *ret = (PathSet){0};
    offer_tree(level, tree, ret);
    return true;
}

bool paths_from(Level *level, ExprVec *quals, const ExprVec *needed, const SortVec *order,
                FromPaths *ret)
{
    *ret = (FromPaths){.needed = needed};
    if (level->query->range_table.length > MOST_RELS)
        FAIL_UNSUPPORTED("a query level with more than 127 tables and joins");
    take_constants(level, quals, level->query->from.items, level->query->from.length,
                   &ret->constant);
    const FromList from = {level->query->from.items, level->query->from.length};
    level->order = order;
    return plan_set(level, &from, quals, &(Wanted){needed, order}, &ret->set);
}

bool paths_build(Level *level, const FromPaths *paths, const Path *path, Tree *ret)
{
    TRY(path_build(level, path, ret));
    for (int i = 0; i < path->presorted; i++)
        VEC_PUSH(level->planner->arena, &ret->order, level->order->items[i]);
    return paths->constant.length == 0 || add_constant(level, ret, &paths->constant);
}

bool plan_from(Level *level, ExprVec *quals, const ExprVec *needed, Tree *ret)
{
    FromPaths paths;
    TRY(paths_from(level, quals, needed, NULL, &paths));
    return paths_build(level, &paths, chosen_path(level, &paths.set), ret);
}
