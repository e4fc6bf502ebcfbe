/*
 * Expressions over more rows than one: aggregates, window functions, subqueries.
 */
#ifndef PLANNER_EXPR_ROWS_H
#define PLANNER_EXPR_ROWS_H

#include "planner/expr_scalar.h"

/* ORDER BY inside aggregates, windows, queries; see also query.h's SortClause. */
typedef struct SortKey {
    Expr *expr;  /* planned: over the same input as what holds the key */
    Oid sort_op; /* < or > of the type */
    Oid equal_op;
    Oid collation;
    bool is_descending;
    bool nulls_first;
} SortKey;

typedef VEC(SortKey) SortKeyVec;

typedef struct ExprAggregate {
    Expr base;
    Oid function; /* pg_proc.oid with a pg_aggregate row */
    Oid input_collation;
    ExprVec args;        /* aggregated; before them none */
    ExprVec direct_args; /* ordered-set aggregates */
    SortKeyVec order_by;
    Expr *filter;
    bool is_distinct;    /* DISTINCT: order_by then covers all args */
    SortKeyVec distinct; /* one per argument where is_distinct */
    bool is_star;
    bool is_variadic;
    bool is_ordered_set;
    int levels_up; /* the query it belongs to, counted outward */
} ExprAggregate;

typedef struct ExprGrouping {
    Expr base;
    ExprVec args;
    VEC(int) refs; /* sort_group_refs */
    int levels_up;
} ExprGrouping;

typedef struct ExprWindowFunction {
    Expr base;
    Oid function;
    Oid input_collation;
    ExprVec args;
    Expr *filter;
    bool is_aggregate; /* an aggregate used as a window function */
    bool is_star;
    int window; /* index into query->windows, 0-based */
} ExprWindowFunction;

typedef enum SubLinkKind {
    SUBLINK_EXISTS = 1,
    SUBLINK_ANY,    /* test op ANY (SELECT …), IN */
    SUBLINK_ALL,    /* test op ALL (SELECT …), NOT IN is NOT (… ANY …) */
    SUBLINK_SCALAR, /* one column, at most one row: 21000 otherwise */
    SUBLINK_ROW,    /* ROW(…) op (SELECT …) */
    SUBLINK_ARRAY,  /* ARRAY(SELECT …) */
    SUBLINK_MULTI,  /* (a, b) = (SELECT …) in UPDATE: columns by SUBLINK_MULTI's param */
} SubLinkKind;

/*
 * For ANY, ALL and ROW: left.items[i] compares with the subquery's column i by ops.items[i], and
 * right.items[i] is the conversion of that column to the operator's input type, over
 * EXPR_PARAM(PARAM_EXEC, number i) standing for the column.
 */
typedef struct ExprSubLink {
    Expr base;
    SubLinkKind sublink;
    Query *query;
    ExprVec left, right;
    VEC(Oid) ops;
    VEC(Oid) functions;
    RowCompareKind row_compare; /* ROW and multi-column < <= >= >; 0 for = and <> */
    bool combine_or;            /* columns combined by OR (for <>) instead of AND */
    Str op_name;                /* as written: "=", "<" … */
    bool is_in;                 /* written IN: deparse */
    int multi_column;           /* SUBLINK_MULTI: which column this use takes, 0-based */
    const Query *source;        /* the query as it was analyzed: copies of a sublink share it */
} ExprSubLink;

/*
 * A subquery in a plan's expression. Before running, each arg (over the row at hand) is stored into
 * param_ids[i]. For ANY/ALL/ROW `test` is a boolean over this row's slots and PARAM_EXEC
 * output_params[k] = column k of the subplan's current row. `is_hashed` (ANY of uncorrelated
 * queries): rows are hashed once on all columns; hash_left holds this row's values, of the columns'
 * types, compared by the types' default equality, with PostgreSQL's null rules.
 */
typedef struct ExprSubPlan {
    Expr base;
    SubLinkKind sublink;
    int subplan; /* index into PlannedStatement.subplans */
    ExprVec args;
    VEC(int) param_ids;
    VEC(int) output_params;
    Expr *test;
    bool is_hashed;
    ExprVec hash_left;     /* over the row at hand */
    ExprVec hash_right;    /* over ExprSlot child 0: the subplan's row */
    bool unknown_is_false; /* only true counts (WHERE): nulls may be taken as false */
    int column;            /* SUBLINK_MULTI: which of the subplan's columns; it runs once for all */
} ExprSubPlan;

#endif
