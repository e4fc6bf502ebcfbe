/*
 * Variables: what ANALYZE knows about an expression of a query.
 *
 *   Variable variable;
 *   variable_find(level, expr, &variable);             always fills it; stats may be NULL
 *   double distinct = variable_distinct(&variable);
 *
 * A variable is a column of a table (through subqueries that only hand it on), or an expression
 * that an index of the table holds. Estimates follow PostgreSQL's rules, so that plans do: most
 * common values first, then the histogram, then what is usual where nothing is known.
 */
#ifndef PLANNER_VARIABLE_H
#define PLANNER_VARIABLE_H

#include "planner/plan_internal.h"

#define DEFAULT_EQUAL 0.005
#define DEFAULT_RANGE (1.0 / 3)
#define DEFAULT_BOUNDED_RANGE 0.005
#define DEFAULT_DISTINCT 200.0

typedef struct Variable {
    const ColumnStatistics *stats; /* NULL: none */
    const RelationDesc *relation;  /* NULL: no table's */
    Level *level;
    int attnum; /* of the table; 0: an expression */
    Oid type;
    double rows;    /* of its table; 0: unknown */
    bool is_unique; /* no value twice */
} Variable;

/* A test of values against a constant: an operator's, with the constant on its right. */
typedef struct ValueTest {
    Level *level;
    const ExprOperator *op; /* as written; its function and collation count */
    const ExprConst *constant;
    bool is_flipped; /* the constant is on the left */
} ValueTest;

double clamp01(double x);
const Expr *strip_relabel(const Expr *expr);
void variable_find(Level *level, const Expr *expr, Variable *ret);
double variable_distinct(const Variable *variable, bool *ret_default);
double variable_nulls(const Variable *variable);

/* variable = constant; and with a value that is not known yet. */
double variable_equals(const Variable *variable, const ExprConst *constant);
double variable_equals_some(const Variable *variable);
/* variable < constant (less) or >, and or-equal; *ret_default where nothing is known. */
double variable_range(const Variable *variable, const ExprConst *constant, bool less, bool or_equal,
                      bool *ret_default);
/* Fractions of all rows, by asking the operator about each common value and histogram bound;
 * *ret_bounds: how many bounds there were. */
double variable_common_passing(const Variable *variable, const ValueTest *test, double *ret_common);
double variable_histogram_passing(const Variable *variable, const ValueTest *test,
                                  uint32_t *ret_bounds);

/* How many groups `rows` rows of the level's relations have by the expressions. */
double group_estimate(Level *level, const ExprVec *groups, double rows);

#endif
