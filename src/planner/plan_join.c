#include <math.h>

#include "planner/plan_internal.h"

enum { DP_LIMIT = 10 };

static bool covers(uint64_t rels, uint64_t part)
{
    return (part & ~rels) == 0;
}

/* ---- two trees into one ---- */

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
    Expr *wide_a = analyze_coerce(&context, *a, TYPE_INT8, -1, COERCION_IMPLICIT, 0);
    Expr *wide_b = analyze_coerce(&context, *b, TYPE_INT8, -1, COERCION_IMPLICIT, 0);
    if (!wide_a || !wide_b)
        return false;
    *a = wide_a;
    *b = wide_b;
    return true;
}

/* A condition `a = b` by which rows can be hashed: sides on either tree, one type, its equality. */
static bool is_hash_key(Level *level, const Expr *qual, const Tree *left, const Tree *right,
                        Expr **ret_left, Expr **ret_right)
{
    if (qual->kind != EXPR_OPERATOR)
        return false;
    const ExprOperator *op = EXPR_AS(const ExprOperator, qual);
    if (op->args.length != 2)
        return false;
    Expr *a = op->args.items[0], *b = op->args.items[1];
    const uint64_t a_rels = expr_rels(a), b_rels = expr_rels(b);
    if (!a_rels || !b_rels)
        return false;
    const TypeOperators *operators = type_operators(level->planner->session, a->type);
    if (a->type != b->type ? !widen_integers(level, op, &a, &b)
                           : !operators || operators->equal != op->op || !operators->hash)
        return false;
    if (covers(left->rels, a_rels) && covers(right->rels, b_rels)) {
        *ret_left = a;
        *ret_right = b;
        return true;
    }
    if (covers(left->rels, b_rels) && covers(right->rels, a_rels)) {
        *ret_left = b;
        *ret_right = a;
        return true;
    }
    return false;
}

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

static double join_rows(Level *level, JoinKind kind, const Tree *left, const Tree *right,
                        const ExprVec *quals)
{
    double rows = left->plan->rows * right->plan->rows * selectivity_list(level, quals);
    if (right->one_row)
        rows = MIN(rows, left->plan->rows);
    switch (kind) {
    case JOINS_LEFT:
        rows = MAX(rows, left->plan->rows);
        break;
    case JOINS_FULL:
        rows = MAX(rows, left->plan->rows + right->plan->rows);
        break;
    case JOINS_SEMI:
        rows = MIN(rows, left->plan->rows);
        break;
    case JOINS_ANTI:
        rows = left->plan->rows * 0.5;
        break;
    default:
        break;
    }
    return MAX(1, rint(rows));
}

static bool finish_join(Level *level, JoinPlan *join, JoinKind kind, const Tree *left,
                        const Tree *right, double rows, Tree *ret)
{
    Arena *arena = level->planner->arena;
    ExprVec out = {0}, targets = {0};
    concat_outputs(arena, kind, left, right, &out);
    TRY(plan_fix_list(level, &out, &left->out, &right->out, &targets));
    join->join_type = kind;
    join->base.left = left->plan;
    join->base.right = right->plan;
    join->base.rows = rows;
    join->inner_unique = right->one_row;
    plan_set_targets(level, &join->base, &targets);
    ret->plan = &join->base;
    ret->out = out;
    ret->rels = left->rels | right->rels;
    ret->needs = (left->needs | right->needs) & ~ret->rels;
    ret->one_row = left->one_row && right->one_row;
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

static bool nest_loop(Level *level, JoinKind kind, const Tree *left, Tree *right,
                      const ExprVec *quals, double rows, Tree *ret)
{
    NestLoopPlan *nest = PLAN_NEW(level, NestLoopPlan, PLAN_NEST_LOOP);
    Plan *inner = right->plan;
    if (right->params.length == 0 && inner->kind != PLAN_MATERIAL && !left->one_row) {
        MaterialPlan *material = PLAN_NEW(level, MaterialPlan, PLAN_MATERIAL);
        plan_pass_through(level, &material->base, inner);
        material->base.left = inner;
        right->plan = &material->base;
    }
    TRY(plan_fix_list(level, quals, &left->out, &right->out, &nest->join.condition));
    TRY(nest_params(level, left, right, nest, ret));
    TRY(finish_join(level, &nest->join, kind, left, right, rows, ret));
    const double per_row = right->params.length ? inner->total_cost : inner->rows * 0.0025;
    nest->join.base.startup_cost = left->plan->startup_cost + inner->startup_cost;
    nest->join.base.total_cost =
        left->plan->total_cost + inner->total_cost + (left->plan->rows - 1) * per_row +
        left->plan->rows * inner->rows * 0.01 * (right->params.length ? 0.1 : 1);
    return true;
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

static bool hash_join(Level *level, JoinKind kind, const Tree *left, const Tree *right,
                      const ExprVec *quals, double rows, Tree *ret, bool *ret_found)
{
    Arena *arena = level->planner->arena;
    ExprVec keys = {0}, rest = {0}, l = {0}, r = {0};
    *ret_found = false;
    for (size_t i = 0; i < quals->length; i++) {
        Expr *a, *b;
        if (is_hash_key(level, quals->items[i], left, right, &a, &b)) {
            Expr *key = outer_first(level, quals->items[i], a);
            VEC_PUSH(arena, &keys, key);
            VEC_PUSH(arena, &l, a);
            VEC_PUSH(arena, &r, b);
        } else {
            VEC_PUSH(arena, &rest, quals->items[i]);
        }
    }
    if (keys.length == 0 && (kind != JOINS_FULL || !all_constant(&rest)))
        return true;
    if (keys.length == 0) { /* FULL JOIN ON true: all rows are of one key */
        VEC_PUSH(arena, &l, expr_int4(arena, 1));
        VEC_PUSH(arena, &r, expr_int4(arena, 1));
    }
    *ret_found = true;
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
    TRY(finish_join(level, &join->join, kind, left, right, rows, ret));
    Plan *plan = &join->join.base;
    plan->startup_cost =
        left->plan->startup_cost + right->plan->total_cost + right->plan->rows * 0.015;
    plan->total_cost =
        plan->startup_cost + left->plan->total_cost + left->plan->rows * 0.0125 + rows * 0.01;
    return true;
}

/* The cheapest way to join two trees on the conditions. */
static bool join_trees(Level *level, JoinKind kind, const Tree *left, const Tree *right,
                       const ExprVec *quals, const ExprVec *needed, Tree *ret)
{
    Arena *arena = level->planner->arena;
    const double rows = join_rows(level, kind, left, right, quals);
    const bool is_lateral = (right->needs & left->rels) != 0;
    Tree best = {0};

    if (!is_lateral) {
        bool found;
        Tree tree = {0};
        TRY(hash_join(level, kind, left, right, quals, rows, &tree, &found));
        if (found)
            best = tree;
    }
    if (kind != JOINS_RIGHT && kind != JOINS_FULL) {
        bool found = false;
        Tree inner = {0}, tree = {0};
        ExprVec used = {0}, rest = {0};
        if (!is_lateral)
            TRY(plan_index_inner(level, right, quals, left->rels, needed, &inner, &used, &found));
        if (found) {
            for (size_t i = 0; i < quals->length; i++) {
                bool is_used = false;
                for (size_t k = 0; k < used.length; k++)
                    is_used |= used.items[k] == quals->items[i];
                if (!is_used)
                    VEC_PUSH(arena, &rest, quals->items[i]);
            }
            TRY(nest_loop(level, kind, left, &inner, &rest, rows, &tree));
            /* Who is surely one row, or half as dear, may loop; else the hash is safer. */
            if (!best.plan || tree.plan->total_cost < best.plan->total_cost)
                best = tree;
        }
        if (!best.plan) {
            Tree copy = *right;
            tree = (Tree){0};
            TRY(nest_loop(level, kind, left, &copy, quals, rows, &tree));
            best = tree;
        }
    }
    if (!best.plan)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("FULL JOIN is only supported with merge-joinable or hash-joinable join "
                            "conditions"));
    *ret = best;
    return true;
}

/* ---- outer joins that are none ---- */

static uint64_t item_rels(const FromItem *item)
{
    return item->kind == FROM_REL ? REL_BIT(item->rel)
                                  : item_rels(item->left) | item_rels(item->right);
}

static bool some_strict(Level *level, const ExprVec *quals, uint64_t rels)
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

static void collect_leaves(Level *level, FromItem *item, ExprVec *quals, LeafVec *ret)
{
    Arena *arena = level->planner->arena;
    if (item->kind == FROM_JOIN) {
        const JoinKind kind = reduced_kind(level, item, quals);
        if (kind == JOINS_INNER) {
            plan_split_and(arena, item->condition, quals);
            collect_leaves(level, item->left, quals, ret);
            collect_leaves(level, item->right, quals, ret);
            return;
        }
        const Leaf leaf = {item, kind};
        VEC_PUSH(arena, ret, leaf);
        return;
    }
    const Leaf leaf = {item, JOINS_INNER};
    VEC_PUSH(arena, ret, leaf);
}

static MUST_CHECK bool plan_set(Level *level, FromItem *const *items, size_t count, ExprVec *quals,
                                const ExprVec *needed, Tree *ret);

/* Moves the conditions that `rels` alone decide from the pool. */
static void take_quals(Arena *arena, ExprVec *pool, uint64_t rels, bool with_constant, ExprVec *ret)
{
    size_t kept = 0;
    for (size_t i = 0; i < pool->length; i++) {
        Expr *qual = pool->items[i];
        const uint64_t of = expr_rels(qual);
        if ((of || with_constant) && covers(rels, of))
            VEC_PUSH(arena, ret, qual);
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

static bool plan_outer_join(Level *level, FromItem *item, JoinKind kind, ExprVec *pool,
                            const ExprVec *needed, Tree *ret)
{
    Arena *arena = level->planner->arena;
    FromItem *left_item = item->left, *right_item = item->right;
    ExprVec on = {0}, left_quals = {0}, right_quals = {0};
    Tree left, right;

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
    TRY(plan_set(level, &left_item, 1, &left_quals, needed, &left));
    TRY(plan_set(level, &right_item, 1, &right_quals, needed, &right));
    return join_trees(level, kind, &left, &right, &on, needed, ret);
}

static bool plan_leaf(Level *level, const Leaf *leaf, ExprVec *pool, const ExprVec *needed,
                      Tree *ret)
{
    Arena *arena = level->planner->arena;
    ExprVec quals = {0};
    const uint64_t rels = item_rels(leaf->item);
    if (leaf->item->kind == FROM_REL) {
        take_quals(arena, pool, rels, false, &quals);
        return plan_base(level, leaf->item->rel, &quals, needed, ret);
    }
    TRY(plan_outer_join(level, leaf->item, leaf->kind, pool, needed, ret));
    take_quals(arena, pool, rels, false, &quals);
    return add_filter(level, ret, &quals);
}

/* ---- the order of inner joins ---- */

typedef struct Order {
    Level *level;
    Tree *leaves;
    int count;
    const ExprVec *quals;
    uint64_t *qual_rels;
    double *qual_selectivity;
} Order;

static uint64_t set_rels(const Order *order, uint32_t set)
{
    uint64_t rels = 0;
    for (int i = 0; i < order->count; i++)
        if (set & (1u << i))
            rels |= order->leaves[i].rels;
    return rels;
}

static double set_rows(const Order *order, uint32_t set)
{
    const uint64_t rels = set_rels(order, set);
    double rows = 1;
    for (int i = 0; i < order->count; i++)
        if (set & (1u << i))
            rows *= order->leaves[i].plan->rows;
    for (size_t q = 0; q < order->quals->length; q++)
        if (covers(rels, order->qual_rels[q]))
            rows *= order->qual_selectivity[q];
    return MAX(1, rows);
}

static bool are_connected(const Order *order, uint64_t a, uint64_t b)
{
    for (size_t q = 0; q < order->quals->length; q++)
        if (covers(a | b, order->qual_rels[q]) && (order->qual_rels[q] & a) &&
            (order->qual_rels[q] & b))
            return true;
    return false;
}

static uint64_t set_needs(const Order *order, uint32_t set)
{
    uint64_t needs = 0;
    for (int i = 0; i < order->count; i++)
        if (set & (1u << i))
            needs |= order->leaves[i].needs;
    return needs & ~set_rels(order, set);
}

typedef struct Best {
    double cost;
    uint32_t left; /* 0: a leaf */
    bool known;
} Best;

/* C_out plus what building and probing cost; cross products only as a last resort. */
static double pair_cost(const Order *order, const Best *table, uint32_t left, uint32_t right,
                        double rows)
{
    const uint64_t a = set_rels(order, left), b = set_rels(order, right);
    double cost = table[left].cost + table[right].cost + rows;
    const double left_rows = set_rows(order, left), right_rows = set_rows(order, right);
    if (!are_connected(order, a, b))
        return cost + left_rows * right_rows + 1e12;
    /* An index on a lone inner table costs a probe per outer row. */
    const double hash = right_rows * 1.5 + left_rows;
    return cost + hash;
}

static void order_by_dp(const Order *order, Best *table)
{
    const uint32_t all = (1u << order->count) - 1;
    for (int i = 0; i < order->count; i++)
        table[1u << i] = (Best){.cost = order->leaves[i].plan->total_cost, .known = true};
    for (uint32_t set = 1; set <= all; set++) {
        if ((set & (set - 1)) == 0)
            continue;
        const double rows = set_rows(order, set);
        for (uint32_t left = (set - 1) & set; left; left = (left - 1) & set) {
            const uint32_t right = set & ~left;
            if (!table[left].known || !table[right].known)
                continue;
            const uint64_t left_rels = set_rels(order, left);
            /* Lateral references go from the right side to the left only. */
            if (set_needs(order, left) & set_rels(order, right))
                continue;
            (void)left_rels;
            const double cost = pair_cost(order, table, left, right, rows);
            if (!table[set].known || cost < table[set].cost)
                table[set] = (Best){.cost = cost, .left = left, .known = true};
        }
    }
}

static bool build_set(const Order *order, const Best *table, uint32_t set, const ExprVec *needed,
                      Tree *ret)
{
    if ((set & (set - 1)) == 0) {
        *ret = order->leaves[__builtin_ctz(set)];
        return true;
    }
    Arena *arena = order->level->planner->arena;
    Tree left, right;
    ExprVec quals = {0};
    TRY(build_set(order, table, table[set].left, needed, &left));
    TRY(build_set(order, table, set & ~table[set].left, needed, &right));
    for (size_t q = 0; q < order->quals->length; q++)
        if (covers(left.rels | right.rels, order->qual_rels[q]) &&
            !covers(left.rels, order->qual_rels[q]) && !covers(right.rels, order->qual_rels[q]))
            VEC_PUSH(arena, &quals, order->quals->items[q]);
    Tree forward = {0};
    TRY(join_trees(order->level, JOINS_INNER, &left, &right, &quals, needed, &forward));
    *ret = forward;
    if (set_needs(order, set & ~table[set].left) & left.rels)
        return true;
    Tree backward = {0};
    TRY(join_trees(order->level, JOINS_INNER, &right, &left, &quals, needed, &backward));
    if (backward.plan->total_cost < forward.plan->total_cost)
        *ret = backward;
    return true;
}

static bool join_dp(Order *order, const ExprVec *needed, Tree *ret)
{
    Best *table = ARENA_ARRAY(order->level->planner->arena, Best, (size_t)1 << order->count);
    order_by_dp(order, table);
    const uint32_t all = (1u << order->count) - 1;
    if (!table[all].known)
        FAIL(ERR_FEATURE_NOT_SUPPORTED,
             .message = STR("these LATERAL references cannot be ordered"));
    return build_set(order, table, all, needed, ret);
}

/* Many relations: always the pair that gives the fewest rows. */
static bool join_greedy(Order *order, const ExprVec *needed, Tree *ret)
{
    Arena *arena = order->level->planner->arena;
    while (order->count > 1) {
        int best_i = -1, best_j = -1;
        double best_rows = 0;
        for (int i = 0; i < order->count; i++)
            for (int j = 0; j < order->count; j++) {
                if (i == j || (order->leaves[i].needs & order->leaves[j].rels))
                    continue;
                double rows = order->leaves[i].plan->rows * order->leaves[j].plan->rows;
                const uint64_t a = order->leaves[i].rels, b = order->leaves[j].rels;
                for (size_t q = 0; q < order->quals->length; q++)
                    if (covers(a | b, order->qual_rels[q]) && !covers(a, order->qual_rels[q]) &&
                        !covers(b, order->qual_rels[q]))
                        rows *= order->qual_selectivity[q];
                if (!are_connected(order, a, b))
                    rows += 1e15;
                if (best_i < 0 || rows < best_rows) {
                    best_i = i;
                    best_j = j;
                    best_rows = rows;
                }
            }
        if (best_i < 0)
            FAIL(ERR_FEATURE_NOT_SUPPORTED,
                 .message = STR("these LATERAL references cannot be ordered"));
        ExprVec quals = {0};
        const Tree *left = &order->leaves[best_i], *right = &order->leaves[best_j];
        for (size_t q = 0; q < order->quals->length; q++)
            if (covers(left->rels | right->rels, order->qual_rels[q]) &&
                !covers(left->rels, order->qual_rels[q]) &&
                !covers(right->rels, order->qual_rels[q]))
                VEC_PUSH(arena, &quals, order->quals->items[q]);
        Tree joined = {0};
        TRY(join_trees(order->level, JOINS_INNER, left, right, &quals, needed, &joined));
        order->leaves[MIN(best_i, best_j)] = joined;
        order->leaves[MAX(best_i, best_j)] = order->leaves[--order->count];
    }
    *ret = order->leaves[0];
    return true;
}

static bool plan_set(Level *level, FromItem *const *items, size_t count, ExprVec *quals,
                     const ExprVec *needed, Tree *ret)
{
    Arena *arena = level->planner->arena;
    LeafVec leaves = {0};
    ExprVec constant = {0};

    for (size_t i = 0; i < count; i++)
        collect_leaves(level, items[i], quals, &leaves);
    take_quals(arena, quals, 0, true, &constant);
    Order order = {.level = level, .count = (int)leaves.length, .quals = quals};
    order.leaves = ARENA_ARRAY(arena, Tree, leaves.length + 1);
    for (size_t i = 0; i < leaves.length; i++)
        TRY(plan_leaf(level, &leaves.items[i], quals, needed, &order.leaves[i]));
    order.qual_rels = ARENA_ARRAY(arena, uint64_t, quals->length + 1);
    order.qual_selectivity = ARENA_ARRAY(arena, double, quals->length + 1);
    for (size_t q = 0; q < quals->length; q++) {
        order.qual_rels[q] = expr_rels(quals->items[q]);
        order.qual_selectivity[q] = selectivity_of(level, quals->items[q]);
    }
    if (order.count == 1)
        *ret = order.leaves[0];
    else if (order.count <= DP_LIMIT)
        TRY(join_dp(&order, needed, ret));
    else
        TRY(join_greedy(&order, needed, ret));
    if (constant.length == 0)
        return true;
    /* Conditions without columns are decided once, before any row is read. */
    ResultPlan *result = PLAN_NEW(level, ResultPlan, PLAN_RESULT);
    ExprVec targets = {0};
    TRY(plan_fix_list(level, &ret->out, &ret->out, NULL, &targets));
    plan_set_targets(level, &result->base, &targets);
    for (size_t i = 0; i < constant.length; i++) {
        const bool is_volatile = expr_is_volatile(level->planner->session, constant.items[i]);
        Expr *qual = plan_fix(level, constant.items[i], NULL, NULL);
        TRY(qual);
        if (is_volatile)
            VEC_PUSH(arena, &result->base.filter, qual);
        else
            VEC_PUSH(arena, &result->one_time_filter, qual);
    }
    result->base.left = ret->plan;
    result->base.rows = ret->plan->rows;
    result->base.startup_cost = ret->plan->startup_cost;
    result->base.total_cost = ret->plan->total_cost;
    ret->plan = &result->base;
    ret->rel = 0;
    return true;
}

bool plan_from(Level *level, ExprVec *quals, const ExprVec *needed, Tree *ret)
{
    *ret = (Tree){0};
    if (level->query->range_table.length > 63)
        FAIL_UNSUPPORTED("a query level with more than 63 relations");
    return plan_set(level, level->query->from.items, level->query->from.length, quals, needed, ret);
}
