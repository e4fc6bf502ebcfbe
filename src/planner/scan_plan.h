/*
 * Plan nodes that give rows of their own or of one source: constants, tables, indexes, functions,
 * subqueries, CTEs and recursion.
 */
#ifndef PLANNER_SCAN_PLAN_H
#define PLANNER_SCAN_PLAN_H

#include "planner/plan_node.h"

/* A constant row (one, if one_time_filter is true), or projection of its child if it has one. */
typedef struct ResultPlan {
    Plan base;
    ExprVec one_time_filter; /* no slots: decided once before any row */
    bool is_empty;           /* WHERE false: no row at all */
} ResultPlan;

/* What the scans of a table have in common. */
typedef struct ScanPlan {
    Plan base;
    Oid relation;
    int rel;   /* which range table entry of which query: distinct in a statement */
    Str alias; /* EXPLAIN */
    Str relation_name, schema_name;
    int *scan_columns; /* attnums fetched, in slot order; system columns and ATTNUM_ROW_ID too */
    int scan_column_count;
} ScanPlan;

typedef enum IndexOp {
    INDEX_EQ = 1,
    INDEX_LT,
    INDEX_LE,
    INDEX_GE,
    INDEX_GT,
    INDEX_IN, /* = ANY(array): value is the array */
    INDEX_IS_NULL,
    INDEX_IS_NOT_NULL,
} IndexOp;

/*
 * A bound on one index column. `value` has no slots (consts, params, stable functions); null makes
 * the scan empty. Its type is the column's, or another of the same btree family, when `value_wider`
 * (integers only): then values outside the column's range compare as infinite.
 */
typedef struct IndexKey {
    int column; /* 0-based index column */
    IndexOp op;
    Expr *value; /* NULL for IS [NOT] NULL */
    bool value_wider;
    ExprVec more; /* a row's bound: values of the columns behind, of their own types */
    Expr *source; /* the condition as written, over scan slots: EXPLAIN and recheck */
} IndexKey;

/*
 * Keys are in index column order: a run of equalities (EQ, IN, IS_NULL) over leading columns, then
 * range bounds on the next. Conditions on later columns are in base.filter. Index-only: the
 * columns scanned are key columns; those that targets or filter use have types whose key gives the
 * value back.
 */
typedef struct IndexScanPlan {
    ScanPlan scan;
    Oid index;
    Str index_name;
    VEC(IndexKey) keys;
    bool is_backward;
    bool is_gathered;      /* rows are fetched in the table's order: not in the index's */
    bool is_unique_lookup; /* equality on every column of a unique index: at most one row */
    bool is_of_bitmap;     /* gives a RowIdScan the rows' ids alone */
} IndexScanPlan;

/* Rows by their place: written as ctids, or as the child's one column gives them, each once. */
typedef struct RowIdScanPlan {
    ScanPlan scan; /* left: NULL, or gives row ids; rows are looked at again by the filter */
    ExprVec ctids; /* tid values, or one tid[] where is_array */
    bool is_array;
    Str cursor_name; /* CURRENT OF */
    Expr *source;    /* EXPLAIN: the condition that names the rows; with a child, of the filter */
} RowIdScanPlan;

typedef struct ValuesScanPlan {
    Plan base;
    Str alias;
    VEC(ExprVec) rows; /* no slots */
} ValuesScanPlan;

typedef struct FunctionScanPlan {
    Plan base;
    Str alias;
    VEC(RangeCall) functions; /* calls have no slots; outer columns are PARAM_EXEC */
    bool with_ordinality;
} FunctionScanPlan;

/* Projection and filter over a child whose columns keep their own names. */
typedef struct SubqueryScanPlan {
    Plan base; /* left: the subquery's plan */
    Str alias;
} SubqueryScanPlan;

/* Reads subplan `subplan` (run once per execution, shared by all its scans, kept in a store). */
typedef struct CteScanPlan {
    Plan base;
    Str alias, cte_name;
    int subplan;
} CteScanPlan;

/* Reads the current work table of the RecursiveUnion with the same number. */
typedef struct WorkTableScanPlan {
    Plan base;
    Str alias, cte_name;
    int work_table, param;
} WorkTableScanPlan;

/* left once, then right over what the last round gave; each sets PARAM_EXEC `param`. */
typedef struct RecursiveUnionPlan {
    Plan base;
    int work_table, param;
    bool is_distinct; /* UNION: rows seen before are dropped */
} RecursiveUnionPlan;

/* Targets contain set-returning functions at any place: rows until all of them are done. */
typedef struct ProjectSetPlan {
    Plan base;
} ProjectSetPlan;

#endif
