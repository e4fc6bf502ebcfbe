#include <math.h>

#include "planner/plan_internal.h"

/* PostgreSQL's defaults where nothing is known. */
#define DEFAULT_EQUAL 0.005
#define DEFAULT_RANGE 0.3333333333333333
#define DEFAULT_DISTINCT 200.0

static double clamp01(double x)
{
    return x < 1e-9 ? 1e-9 : x > 1 ? 1 : x;
}

static const Expr *strip_relabel(const Expr *expr)
{
    while (expr->kind == EXPR_CAST && EXPR_AS(const ExprCast, expr)->cast == CAST_RELABEL)
        expr = EXPR_AS(const ExprCast, expr)->args.items[0];
    return expr;
}

/* The statistics of a plain column of this level, and its table's row count. */
static const ColumnStatistics *column_statistics(Level *level, const Expr *expr, double *ret_rows,
                                                 bool *ret_unique)
{
    expr = strip_relabel(expr);
    *ret_rows = 1000;
    *ret_unique = false;
    if (expr->kind != EXPR_COLUMN || EXPR_AS(const ExprColumn, expr)->levels_up != 0)
        return NULL;
    const ExprColumn *column = EXPR_AS(const ExprColumn, expr);
    const RangeTableEntry *rte = query_rte(level->query, column->rel);
    if (rte->kind != RANGE_RELATION || column->attnum < 1)
        return NULL;
    const RelationDesc *relation = relation_find(level->planner->session, rte->relation);
    if (!relation)
        return NULL;
    *ret_rows = relation_rows(relation);
    for (int i = 0; i < relation->index_count; i++)
        *ret_unique |= relation->indexes[i].is_unique && relation->indexes[i].key_count == 1 &&
                       str_is_none(relation->indexes[i].predicate) &&
                       relation->indexes[i].columns[0].attnum == column->attnum;
    return relation_statistics(level->planner->session, relation, column->attnum);
}

double distinct_values(Level *level, const Expr *expr, double rows)
{
    double table_rows;
    bool unique;
    const ColumnStatistics *stats = column_statistics(level, expr, &table_rows, &unique);
    double distinct = unique ? table_rows : DEFAULT_DISTINCT;
    if (stats && stats->distinct > 0)
        distinct = stats->distinct;
    else if (stats && stats->distinct < 0)
        distinct = -(double)stats->distinct * table_rows;
    else if (expr->type == TYPE_BOOL)
        distinct = 2;
    return MAX(1, MIN(distinct, rows));
}

static double equal_selectivity(Level *level, const Expr *column, const Expr *value)
{
    double rows;
    bool unique;
    const ColumnStatistics *stats = column_statistics(level, column, &rows, &unique);
    if (unique)
        return clamp01(1 / MAX(rows, 1));
    if (!stats)
        return column->type == TYPE_BOOL ? 0.5 : DEFAULT_EQUAL;
    const double distinct = distinct_values(level, column, rows);
    double common = 0;
    for (uint32_t i = 0; i < stats->common_count; i++) {
        common += stats->common_fractions[i];
        if (value->kind == EXPR_CONST && !EXPR_AS(const ExprConst, value)->is_null &&
            value->type == column->type &&
            type_equal(value->type, &EXPR_AS(const ExprConst, value)->value,
                       &stats->common_values[i]))
            return clamp01(stats->common_fractions[i]);
    }
    if (value->kind != EXPR_CONST)
        return clamp01((1 - stats->null_fraction) / distinct);
    return clamp01((1 - common - stats->null_fraction) / MAX(1, distinct - stats->common_count));
}

/* The fraction of rows below the constant, by histogram and common values. */
static double range_selectivity(Level *level, const Expr *column, const Expr *value, bool below)
{
    double rows;
    bool unique;
    const ColumnStatistics *stats = column_statistics(level, column, &rows, &unique);
    if (!stats || value->kind != EXPR_CONST || EXPR_AS(const ExprConst, value)->is_null ||
        value->type != column->type || stats->histogram_count < 2)
        return DEFAULT_RANGE;
    const Value *constant = &EXPR_AS(const ExprConst, value)->value;
    uint32_t at = 0;
    while (at < stats->histogram_count &&
           type_compare(value->type, &stats->histogram[at], constant) < 0)
        at++;
    double fraction = at == 0 ? 0 : ((double)at - 0.5) / (double)(stats->histogram_count - 1);
    if (fraction > 1)
        fraction = 1;
    double common = 0, common_below = 0;
    for (uint32_t i = 0; i < stats->common_count; i++) {
        common += stats->common_fractions[i];
        if (type_compare(value->type, &stats->common_values[i], constant) < 0)
            common_below += stats->common_fractions[i];
    }
    const double rest = 1 - common - stats->null_fraction;
    const double result = fraction * rest + common_below;
    return clamp01(MAX(below ? result : 1 - stats->null_fraction - result, 1 / MAX(rows, 1)));
}

static double operator_selectivity(Level *level, const ExprOperator *op)
{
    const OperatorDesc *desc = operator_find(level->planner->session, op->op);
    if (!desc || op->args.length != 2)
        return 0.5;
    const Expr *left = strip_relabel(op->args.items[0]), *right = strip_relabel(op->args.items[1]);
    const uint64_t left_rels = expr_rels(left), right_rels = expr_rels(right);
    const bool is_flipped = left->kind != EXPR_COLUMN && right->kind == EXPR_COLUMN;
    const Str name = desc->name;

    if (str_equal(name, STR("="))) {
        if (left_rels && right_rels && left_rels != right_rels)
            return clamp01(
                1 / MAX(distinct_values(level, left, 1e18), distinct_values(level, right, 1e18)));
        return is_flipped ? equal_selectivity(level, right, left)
                          : equal_selectivity(level, left, right);
    }
    if (str_equal(name, STR("<>")))
        return clamp01(
            1 - equal_selectivity(level, is_flipped ? right : left, is_flipped ? left : right));
    const bool less = str_equal(name, STR("<")) || str_equal(name, STR("<="));
    const bool more = str_equal(name, STR(">")) || str_equal(name, STR(">="));
    if (less || more)
        return is_flipped ? range_selectivity(level, right, left, more)
                          : range_selectivity(level, left, right, less);
    if (str_equal(name, STR("~~")) || str_equal(name, STR("~~*")) || str_equal(name, STR("~")))
        return DEFAULT_EQUAL;
    return 0.5;
}

double selectivity_of(Level *level, const Expr *expr)
{
    switch (expr->kind) {
    case EXPR_CONST:
        return EXPR_AS(const ExprConst, expr)->is_null ||
                       !EXPR_AS(const ExprConst, expr)->value.boolean
                   ? 1e-9
                   : 1;
    case EXPR_OPERATOR:
        return operator_selectivity(level, EXPR_AS(const ExprOperator, expr));
    case EXPR_BOOL: {
        const ExprBool *b = EXPR_AS(const ExprBool, expr);
        double result = 1;
        if (b->op == BOOL_NOT)
            return clamp01(1 - selectivity_of(level, b->args.items[0]));
        for (size_t i = 0; i < b->args.length; i++) {
            const double one = selectivity_of(level, b->args.items[i]);
            result *= b->op == BOOL_AND ? one : 1 - one;
        }
        return clamp01(b->op == BOOL_AND ? result : 1 - result);
    }
    case EXPR_SCALAR_ARRAY: {
        const ExprScalarArray *array = EXPR_AS(const ExprScalarArray, expr);
        const double count = array->array->kind == EXPR_ARRAY
                                 ? (double)EXPR_AS(const ExprArray, array->array)->elements.length
                                 : 10;
        const Expr unknown = {.kind = EXPR_PARAM, .type = array->left->type};
        const double one = equal_selectivity(level, strip_relabel(array->left), &unknown);
        return clamp01(array->use_or ? count * one : 1 - count * one);
    }
    case EXPR_NULL_TEST: {
        const ExprNullTest *test = EXPR_AS(const ExprNullTest, expr);
        double rows;
        bool unique;
        const ColumnStatistics *stats = column_statistics(level, test->arg, &rows, &unique);
        const double null = stats ? stats->null_fraction : DEFAULT_EQUAL;
        return clamp01(test->is_not_null ? 1 - null : null);
    }
    default:
        return 0.5;
    }
}

double selectivity_list(Level *level, const ExprVec *list)
{
    double result = 1;
    for (size_t i = 0; i < list->length; i++)
        result *= selectivity_of(level, list->items[i]);
    return clamp01(result);
}
