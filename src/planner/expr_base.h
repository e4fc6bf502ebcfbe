/*
 * What every expression begins with, and those that have nothing below them: constants, columns,
 * slots, parameters. expr.h is the manual.
 */
#ifndef PLANNER_EXPR_BASE_H
#define PLANNER_EXPR_BASE_H

#include "base/vec.h"
#include "base/vector.h"

typedef struct Query Query;
typedef struct Plan Plan;

typedef enum ExprKind {
    EXPR_CONST = 1,
    EXPR_COLUMN,
    EXPR_SLOT,
    EXPR_PARAM,
    EXPR_FUNCTION,
    EXPR_OPERATOR,
    EXPR_SCALAR_ARRAY, /* x op ANY/ALL (array) */
    EXPR_BOOL,
    EXPR_NULL_TEST,
    EXPR_BOOLEAN_TEST,
    EXPR_CASE,
    EXPR_CASE_TEST, /* the operand of `CASE operand WHEN …`, inside its WHENs; ArrayCoerce's element
                     */
    EXPR_COALESCE,
    EXPR_MIN_MAX,
    EXPR_NULLIF,
    EXPR_DISTINCT,
    EXPR_ARRAY,
    EXPR_ROW,
    EXPR_ROW_COMPARE,
    EXPR_SUBSCRIPT,
    EXPR_FIELD_SELECT,
    EXPR_CAST,
    EXPR_COLLATE,
    EXPR_AGGREGATE,
    EXPR_GROUPING,
    EXPR_WINDOW_FUNCTION,
    EXPR_SUB_LINK,
    EXPR_SUB_PLAN,
    EXPR_SQL_VALUE,
    EXPR_DEFAULT, /* DEFAULT in VALUES and SET; replaced before analysis ends */
    EXPR_CURRENT_OF,
    EXPR_NEXT_VALUE, /* an identity column's next value */
} ExprKind;

typedef struct Expr {
    ExprKind kind;
    Oid type;
    int32_t typmod; /* -1: none */
    Oid collation;  /* 0: the type has none */
    int position;   /* 1-based character of the query text; 0: unknown */
} Expr;

typedef VEC(Expr *) ExprVec;

#define EXPR_AS(type, expr) ((type *)(expr))

typedef struct ExprConst {
    Expr base;
    Value value; /* in the physical form of base.type; `unknown` literals are PHYS_VAR text */
    bool is_null;
} ExprConst;

/* Attribute numbers of system columns, as PostgreSQL's. 0 is the whole row. */
enum {
    ATTNUM_WHOLE_ROW = 0,
    ATTNUM_CTID = -1,
    ATTNUM_XMIN = -2,
    ATTNUM_CMIN = -3,
    ATTNUM_XMAX = -4,
    ATTNUM_CMAX = -5,
    ATTNUM_TABLEOID = -6,
    ATTNUM_ROW_ID = -100, /* Sengi's 64-bit row id as int8: plans only, never named by users */
};

typedef struct ExprColumn {
    Expr base;
    int rel;       /* index into query->range_table, 1-based as in PostgreSQL */
    int attnum;    /* 1-based; ATTNUM_… */
    int levels_up; /* 0: this query; 1: the query around it … */
} ExprColumn;

/* Plans: column `column` (0-based) of child `child`'s output row. See plan.h, "Slots". */
typedef struct ExprSlot {
    Expr base;
    int child;  /* 0 or 1 */
    int column; /* 0-based */
} ExprSlot;

typedef enum ParamKind {
    PARAM_EXTERNAL = 1, /* $n of the statement; number is 1-based */
    PARAM_EXEC,         /* number indexes PlannedStatement.params, 0-based */
} ParamKind;

typedef struct ExprParam {
    Expr base;
    ParamKind param_kind;
    int number;
} ExprParam;

#endif
