#include <math.h>

#include "base/settings.h"
#include "planner/plan_path.h"
#include "planner/variable.h"

/*
 * What joining takes: hash joins, and nested loops whose inner side is kept or looked up.
 */

static bool is_integer(Oid type)
{
    return type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8;
}

/* int4 = int8 and their like compare as int8: both sides are made so. */
static bool widen_integers(Level *level, const ExprOperator *op, Expr **a, Expr **b)
{
    CatalogSession *session = level->planner->session;
    AnalyzeContext context = {.arena = level->planner->arena, .session = session};
    const TypeOperators *operators = type_operators(session, TYPE_INT8);

    if (!is_integer((*a)->type) || !is_integer((*b)->type) || !operators ||
        opfamily_strategy(session, operators->btree_family, op->op) != 3)
        return false;
    Expr *wide_a = analyze_coerce(&context, *a, TYPE_INT8, -1, COERCION_IMPLICIT);
    Expr *wide_b = analyze_coerce(&context, *b, TYPE_INT8, -1, COERCION_IMPLICIT);
    if (!wide_a || !wide_b)
        return false;
    *a = wide_a;
    *b = wide_b;
    return true;
}

/* A condition `a = b` by which rows can be hashed: sides on either tree, one type, its equality. */
bool join_key(Level *level, const Expr *qual, RelSet left_rels, RelSet right_rels, Expr **ret_left,
              Expr **ret_right)
{
    if (qual->kind != EXPR_OPERATOR)
        return false;
    const ExprOperator *op = EXPR_AS(const ExprOperator, qual);
    if (op->args.length != 2)
        return false;
    Expr *a = op->args.items[0], *b = op->args.items[1];
    const RelSet a_rels = expr_rels(a), b_rels = expr_rels(b);
    if (!a_rels || !b_rels)
        return false;
    const TypeOperators *operators = type_operators(level->planner->session, a->type);
    if (a->type != b->type ? !widen_integers(level, op, &a, &b)
                           : !operators || operators->equal != op->op || !operators->hash)
        return false;
    const bool in_order = covers(left_rels, a_rels) && covers(right_rels, b_rels);
    if (!in_order && !(covers(left_rels, b_rels) && covers(right_rels, a_rels)))
        return false;
    *ret_left = in_order ? a : b;
    *ret_right = in_order ? b : a;
    return true;
}

double join_rows(Level *level, const JoinRequest *request)
{
    const double left_rows = request->left->rows, right_rows = request->right->rows;
    const RelSet left_rels = request->left_rels;
    const ExprVec *quals = &request->quals;
    double rows = left_rows * right_rows * selectivity_list(level, quals);
    switch (request->kind) {
    case JOINS_LEFT:
        rows = MAX(rows, left_rows);
        break;
    case JOINS_RIGHT:
        rows = MAX(rows, right_rows);
        break;
    case JOINS_FULL:
        rows = MAX(rows, MAX(left_rows, right_rows));
        break;
    case JOINS_SEMI:
        rows = left_rows * selectivity_semi(level, quals, left_rels, right_rows);
        break;
    case JOINS_ANTI:
        rows = left_rows * (1 - selectivity_semi(level, quals, left_rels, right_rows));
        break;
    default:
        break;
    }
    return MAX(1, rint(rows));
}

/* ---- how much of the inner side a row looks at, where its first match is enough ---- */

typedef struct MatchFactors {
    bool stops_early;
    double matched; /* outer rows that have a match */
    double part;    /* of the inner rows, up to the first match */
} MatchFactors;

static MatchFactors match_factors(Level *level, const JoinRequest *request)
{
    const double inner = MAX(1, request->right->rows);
    MatchFactors factors = {.stops_early = request->inner_unique || request->kind == JOINS_SEMI ||
                                           request->kind == JOINS_ANTI};
    if (!factors.stops_early)
        return factors;
    const double semi =
        selectivity_semi(level, &request->quals, request->left_rels, request->right->rows);
    const double each = selectivity_list(level, &request->quals) * inner / MAX(semi, 1e-9);
    factors.matched = rint(request->left->rows * semi);
    factors.part = 2 / (MAX(1, each) + 1);
    return factors;
}

bool relation_is_unique_by(Level *level, int rel, const RelationDesc *relation,
                           const ExprVec *quals, RelSet outer)
{
    for (int i = 0; i < relation->index_count; i++) {
        const IndexDesc *index = &relation->indexes[i];
        IndexMatch match;
        if (!index->is_unique || !index->is_valid || !str_is_none(index->predicate))
            continue;
        index_match(level, &(ScanRequest){.rel = rel, .quals = quals, .outer = outer}, index,
                    &match);
        if (match.is_unique)
            return true;
    }
    return false;
}

/* Does the inner side have at most one match for each outer row? */
static bool is_inner_unique(Level *level, const JoinRequest *request)
{
    const Path *right = request->right->cheapest;
    if (right->one_row)
        return true;
    if (right->kind != PATH_SCAN)
        return false;
    const int rel = right->request.rel;
    const RelationDesc *relation =
        relation_find(level->planner->session, query_rte(level->query, rel)->relation);
    ExprVec quals = {0};
    for (size_t i = 0; i < request->quals.length; i++)
        VEC_PUSH(level->planner->arena, &quals, request->quals.items[i]);
    for (size_t i = 0; i < right->request.quals->length; i++)
        VEC_PUSH(level->planner->arena, &quals, right->request.quals->items[i]);
    return relation && relation_is_unique_by(level, rel, relation, &quals, request->left_rels);
}

/* ---- hash joins ---- */

/* The part of the inner rows that are in one bucket. */
static double bucket_part(Level *level, const Expr *key, double inner_rows)
{
    Variable variable;
    bool is_default;
    variable_find(level, key, &variable);
    const double buckets = exp2(ceil(log2(MAX(1024, inner_rows))));
    double distinct = variable_distinct(&variable, &is_default);
    double most = 0;
    if (variable.stats && variable.stats->common_count > 0)
        most = variable.stats->common_fractions[0];
    if (is_default)
        return MAX(0.1, most);
    const double average = (1 - variable_nulls(&variable)) / distinct;
    if (variable.rows > 0 && inner_rows < variable.rows)
        distinct = MAX(1, rint(distinct * inner_rows / variable.rows));
    double part = distinct > buckets ? 1 / buckets : 1 / distinct;
    if (average > 0 && most > average)
        part *= most / average;
    return MIN(1, MAX(part, 1e-6));
}

static bool hash_path(Level *level, const JoinRequest *request, const Path *left, const Path *right,
                      Path *ret)
{
    const SettingValues *set = settings();
    const RelSet left_rels = request->left_rels, right_rels = request->right_rels;
    int keys = 0;
    double bucket = 1, rest_cost = 0, key_cost = 0;
    for (size_t i = 0; i < request->quals.length; i++) {
        Expr *a, *b;
        const double own = cost_of_expr(level->planner->session, request->quals.items[i]);
        if (!join_key(level, request->quals.items[i], left_rels, right_rels, &a, &b)) {
            rest_cost += own;
            continue;
        }
        keys++;
        key_cost += own;
        bucket = MIN(bucket, bucket_part(level, b, right->rows));
    }
    if (keys == 0 && request->kind != JOINS_FULL)
        return false;
    const double outer = left->rows, inner = right->rows;
    double startup = left->cost.startup + right->cost.total +
                     (set->cpu_operator_cost * keys + set->cpu_tuple_cost) * inner;
    double run = left->cost.total - left->cost.startup + set->cpu_operator_cost * keys * outer;
    const double spill = cost_hash_spill(outer, left->width, inner, right->width);
    startup += spill * 0.25;
    run += spill * 0.75;
    const MatchFactors factors = match_factors(level, request);
    double found = request->rows;
    if (factors.stops_early) {
        run += key_cost * factors.matched * MAX(1, rint(inner * bucket * factors.part)) * 0.5;
        run += key_cost * MAX(0, outer - factors.matched) *
               MAX(1, rint(inner / exp2(ceil(log2(MAX(1024, inner)))))) * 0.05;
        found = request->kind == JOINS_ANTI ? outer - factors.matched : factors.matched;
    } else {
        run += key_cost * outer * MAX(1, rint(inner * bucket)) * 0.5;
    }
    run += (set->cpu_tuple_cost + rest_cost) * MAX(1, found);
    if (!set->enable_hashjoin)
        startup += COST_DISABLED;
    *ret = (Path){.kind = PATH_HASH,
                  .cost = {startup, startup + run},
                  .left = left,
                  .right = right,
                  .inner_unique = request->inner_unique};
    return true;
}

/* ---- nested loops ---- */

typedef struct LoopInner {
    Cost first;
    double again; /* total of a later run */
    double rows;
    bool is_looked_up;
} LoopInner;

static Cost loop_cost(Level *level, const JoinRequest *request, const Path *left,
                      const LoopInner *inner, const ExprVec *quals)
{
    const SettingValues *set = settings();
    const double outer = MAX(1, left->rows);
    const double once = inner->first.total - inner->first.startup;
    const double again = inner->is_looked_up ? once : inner->again;
    double startup = left->cost.startup + inner->first.startup;
    double run = left->cost.total - left->cost.startup, tested;
    if (inner->is_looked_up)
        run += (outer - 1) * inner->first.startup;
    const MatchFactors factors = match_factors(level, request);
    if (!factors.stops_early) {
        run += once + (outer - 1) * again;
        tested = outer * inner->rows;
    } else if (inner->is_looked_up) {
        const double matched = factors.matched, missed = MAX(0, outer - matched);
        run += once * factors.part + MAX(0, matched - 1) * again * factors.part +
               missed * again / MAX(1, inner->rows);
        tested = matched * inner->rows * factors.part;
    } else {
        const double matched = factors.matched, missed = MAX(0, outer - matched);
        run += once + MAX(0, matched - (missed < 1)) * again * factors.part +
               MAX(0, missed - 1) * again;
        tested = (matched * factors.part + missed) * inner->rows;
    }
    run += tested * (set->cpu_tuple_cost + cost_of_list(level->planner->session, quals));
    if (!set->enable_nestloop)
        startup += COST_DISABLED;
    return (Cost){startup, startup + run};
}

static Path loop_path(Level *level, const JoinRequest *request, const Path *left, const Path *right)
{
    LoopInner inner = {.first = right->cost, .again = right->cost.total, .rows = right->rows};
    const bool is_kept = settings()->enable_material && !request->is_lateral && !left->one_row;
    if (is_kept) {
        inner.first = cost_material(right->cost, right->rows, right->width);
        inner.again = cost_rescan_material(right->rows, right->width);
    }
    return (Path){.kind = PATH_LOOP,
                  .cost = loop_cost(level, request, left, &inner, &request->quals),
                  .left = left,
                  .right = right,
                  .inner_unique = request->inner_unique,
                  .presorted = left->presorted};
}

static bool is_listed(const ExprVec *list, const Expr *expr)
{
    for (size_t i = 0; i < list->length; i++)
        if (list->items[i] == expr)
            return true;
    return false;
}

/* ret->inner.is_found: there is one. */
static bool inner_scan_path(Level *level, const JoinRequest *request, const Path *left,
                            const Path *right, Path *ret)
{
    const ScanRequest wanted = {.quals = &request->quals,
                                .outer = request->left_rels,
                                .loops = left->rows,
                                .needed = request->needed,
                                .fraction = 1};
    *ret = (Path){.kind = PATH_INNER_SCAN,
                  .left = left,
                  .right = right,
                  .inner_unique = request->inner_unique,
                  .presorted = left->presorted};
    if (right->kind != PATH_SCAN || request->is_lateral)
        return true;
    TRY(plan_index_inner(level, right->leaf, &wanted, &ret->inner));
    if (!ret->inner.is_found)
        return true;
    ExprVec rest = {0};
    for (size_t i = 0; i < request->quals.length; i++)
        if (!is_listed(&ret->inner.used, request->quals.items[i]))
            VEC_PUSH(level->planner->arena, &rest, request->quals.items[i]);
    const LoopInner inner = {
        .first = ret->inner.choice.cost, .rows = ret->inner.choice.rows, .is_looked_up = true};
    ret->cost = loop_cost(level, request, left, &inner, &rest);
    return true;
}

/* ---- all of them ---- */

static void give(Level *level, const JoinRequest *request, Path path, JoinKind kind, PathSet *ret)
{
    path.join = kind;
    path.rows = request->rows;
    path.quals = request->quals;
    const bool has_right = kind != JOINS_SEMI && kind != JOINS_ANTI;
    path.width = path.left->width + (has_right ? path.right->width : 0);
    path.one_row = path.left->one_row && (path.right->one_row || path.inner_unique) &&
                   kind != JOINS_FULL && kind != JOINS_RIGHT;
    if (!request->keeps_order)
        path.presorted = 0;
    path_offer(level, ret, arena_copy(level->planner->arena, &path, sizeof(path)));
}

static bool offer_from(Level *level, const JoinRequest *request, const Path *left,
                       const Path *right, PathSet *ret)
{
    Path path;
    if (!request->is_lateral && hash_path(level, request, left, right, &path))
        give(level, request, path, request->kind, ret);
    if (request->kind == JOINS_RIGHT || request->kind == JOINS_FULL)
        return true;
    TRY(inner_scan_path(level, request, left, right, &path));
    if (path.inner.is_found)
        give(level, request, path, request->kind, ret);
    give(level, request, loop_path(level, request, left, right), request->kind, ret);
    return true;
}

bool join_offer(Level *level, const JoinRequest *asked, PathSet *ret)
{
    JoinRequest request = *asked;
    const PathSet *left = request.left;
    const Path *right = request.right->cheapest;

    request.inner_unique = is_inner_unique(level, &request);
    TRY(offer_from(level, &request, left->cheapest, right, ret));
    if (left->fast && left->fast != left->cheapest)
        TRY(offer_from(level, &request, left->fast, right, ret));
    if (left->ordered && left->ordered != left->cheapest && left->ordered != left->fast)
        TRY(offer_from(level, &request, left->ordered, right, ret));
    if (left->partial && left->partial != left->cheapest && left->partial != left->fast)
        TRY(offer_from(level, &request, left->partial, right, ret));
    if (request.kind != JOINS_LEFT || request.is_lateral)
        return true;
    /* The same with the hash table over the rows that all stay. */
    JoinRequest turned = request;
    Path path;
    turned.kind = JOINS_RIGHT;
    turned.left = request.right;
    turned.right = request.left;
    turned.left_rels = request.right_rels;
    turned.right_rels = request.left_rels;
    turned.inner_unique = false;
    if (hash_path(level, &turned, turned.left->cheapest, turned.right->cheapest, &path))
        give(level, &turned, path, JOINS_RIGHT, ret);
    return true;
}
