#include "planner/plan_internal.h"

/* btree strategies, and <> as one more. */
enum { LT = 1, LE, EQ, GE, GT, NE, STRATEGIES };

/* x op constant, whichever side it was written on. */
typedef struct Comparison {
    Expr *key;
    const ExprConst *constant;
    Oid family;
    int strategy;
} Comparison;

static int flipped(int strategy)
{
    static const int other[STRATEGIES] = {0, GT, GE, EQ, LE, LT, NE};
    return other[strategy];
}

/* The family in which the operator, or for <> its negator, compares. */
static bool comparison_strategy(CatalogSession *session, Oid op, Oid family, Comparison *ret)
{
    enum { ROOM = 8 };
    OpfamilyMember members[ROOM];
    uint32_t count = operator_btree_families(session, op, members, ROOM);
    bool negated = false;

    if (count == 0) {
        const OperatorDesc *desc = operator_find(session, op);
        if (!desc || !desc->negator)
            return false;
        count = operator_btree_families(session, desc->negator, members, ROOM);
        negated = true;
    }
    for (uint32_t i = 0; i < count; i++) {
        if ((family && members[i].family != family) || (negated && members[i].strategy != EQ))
            continue;
        ret->family = members[i].family;
        ret->strategy = negated ? NE : members[i].strategy;
        return true;
    }
    return false;
}

static bool comparison_of(CatalogSession *session, const Expr *expr, Oid family, Comparison *ret)
{
    if (expr->kind != EXPR_OPERATOR)
        return false;
    const ExprOperator *op = EXPR_AS(const ExprOperator, expr);
    if (op->args.length != 2 || !comparison_strategy(session, op->op, family, ret))
        return false;
    for (int side = 0; side < 2; side++) {
        if (op->args.items[1 - side]->kind != EXPR_CONST)
            continue;
        ret->key = op->args.items[side];
        ret->constant = EXPR_AS(const ExprConst, op->args.items[1 - side]);
        if (side == 1)
            ret->strategy = flipped(ret->strategy);
        return !ret->constant->is_null;
    }
    return false;
}

static bool integer_of(const ExprConst *constant, int64_t *ret)
{
    switch (constant->base.type) {
    case TYPE_INT2:
        *ret = constant->value.int16;
        return true;
    case TYPE_INT4:
        *ret = constant->value.int32;
        return true;
    case TYPE_INT8:
        *ret = constant->value.int64;
        return true;
    default:
        return false;
    }
}

static bool constants_compare(const ExprConst *a, const ExprConst *b, int *ret_order)
{
    int64_t left, right;

    if (integer_of(a, &left) && integer_of(b, &right)) {
        *ret_order = left < right ? -1 : left > right;
        return true;
    }
    const BuiltinType *type = builtin_type(a->base.type);
    if (a->base.type != b->base.type || !type || !type->compare)
        return false;
    *ret_order = type_compare(a->base.type, &a->value, &b->value);
    return true;
}

/* x given c1 implies x wanted c2, where `order` compares c1 with c2. */
static bool strategy_implies(int given, int wanted, int order)
{
    switch (given) {
    case LT:
        return (wanted == LT || wanted == LE || wanted == NE) && order <= 0;
    case LE:
        return wanted == LE ? order <= 0 : (wanted == LT || wanted == NE) && order < 0;
    case GE:
        return wanted == GE ? order >= 0 : (wanted == GT || wanted == NE) && order > 0;
    case GT:
        return (wanted == GT || wanted == GE || wanted == NE) && order >= 0;
    case NE:
        return wanted == NE && order == 0;
    case EQ:
        return wanted == LT   ? order < 0
               : wanted == LE ? order <= 0
               : wanted == EQ ? order == 0
               : wanted == GE ? order >= 0
               : wanted == GT ? order > 0
                              : order != 0;
    default:
        return false;
    }
}

/* Whether the clause cannot be true where `key` is null. */
static bool is_strict_on(CatalogSession *session, const Expr *clause, const Expr *key)
{
    if (expr_equal(clause, key))
        return true;
    if (clause->kind == EXPR_NULL_TEST)
        return EXPR_AS(const ExprNullTest, clause)->is_not_null &&
               expr_equal(EXPR_AS(const ExprNullTest, clause)->arg, key);
    const ExprVec *args = NULL;
    ExprVec one = {0};
    Expr *first;
    if (clause->kind == EXPR_OPERATOR) {
        args = &EXPR_AS(const ExprOperator, clause)->args;
    } else if (clause->kind == EXPR_FUNCTION) {
        args = &EXPR_AS(const ExprFunction, clause)->args;
    } else if (clause->kind == EXPR_CAST) {
        args = &EXPR_AS(const ExprCast, clause)->args;
        if (EXPR_AS(const ExprCast, clause)->cast != CAST_FUNCTION)
            return is_strict_on(session, args->items[0], key);
    } else if (clause->kind == EXPR_SCALAR_ARRAY &&
               EXPR_AS(const ExprScalarArray, clause)->use_or) {
        first = EXPR_AS(const ExprScalarArray, clause)->left;
        one.items = &first;
        one.length = 1;
        args = &one;
    }
    if (!args)
        return false;
    if (clause->kind != EXPR_SCALAR_ARRAY) {
        const FunctionDesc *function = function_find(session, expr_function(clause));
        if (!function || !function->strict)
            return false;
    }
    for (size_t i = 0; i < args->length; i++)
        if (is_strict_on(session, args->items[i], key))
            return true;
    return false;
}

static bool clause_implies(CatalogSession *session, const Expr *clause, const Expr *wanted)
{
    Comparison have, want;
    int order;

    if (expr_equal(clause, wanted))
        return true;
    if (clause->kind == EXPR_BOOL && EXPR_AS(const ExprBool, clause)->op != BOOL_NOT) {
        const ExprBool *b = EXPR_AS(const ExprBool, clause);
        for (size_t i = 0; i < b->args.length; i++) {
            const bool implies = clause_implies(session, b->args.items[i], wanted);
            if (implies == (b->op == BOOL_AND))
                return implies;
        }
        return b->op == BOOL_OR;
    }
    if (wanted->kind == EXPR_NULL_TEST && EXPR_AS(const ExprNullTest, wanted)->is_not_null &&
        !EXPR_AS(const ExprNullTest, wanted)->arg_is_row)
        return is_strict_on(session, clause, EXPR_AS(const ExprNullTest, wanted)->arg);
    return comparison_of(session, wanted, 0, &want) &&
           comparison_of(session, clause, want.family, &have) && expr_equal(have.key, want.key) &&
           constants_compare(have.constant, want.constant, &order) &&
           strategy_implies(have.strategy, want.strategy, order);
}

bool plan_implies(CatalogSession *session, const ExprVec *given, const Expr *wanted)
{
    if (wanted->kind == EXPR_BOOL && EXPR_AS(const ExprBool, wanted)->op != BOOL_NOT) {
        const ExprBool *b = EXPR_AS(const ExprBool, wanted);
        bool all = true, any = false;
        for (size_t i = 0; i < b->args.length; i++) {
            const bool implied = plan_implies(session, given, b->args.items[i]);
            all &= implied;
            any |= implied;
        }
        if (b->op == BOOL_AND ? all : any)
            return true;
    }
    for (size_t i = 0; i < given->length; i++)
        if (clause_implies(session, given->items[i], wanted))
            return true;
    return false;
}
