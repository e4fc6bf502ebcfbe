/*
 * Expressions over the values of one row: calls, operators, conditions, arrays, rows, casts.
 */
#ifndef PLANNER_EXPR_SCALAR_H
#define PLANNER_EXPR_SCALAR_H

#include "planner/expr_base.h"

/* How a function call was written; deparse prints it the same way. */
typedef enum CallForm {
    CALL_PLAIN = 0,
    CALL_EXPLICIT_CAST, /* x::type or CAST */
    CALL_IMPLICIT_CAST,
    CALL_SQL_SYNTAX, /* EXTRACT(…), OVERLAY(…), AT TIME ZONE … */
} CallForm;

typedef struct ExprFunction {
    Expr base;
    Oid function; /* pg_proc.oid */
    Oid input_collation;
    ExprVec args;
    CallForm form;
    int default_count; /* last arguments that were not written */
    bool returns_set;
    bool is_variadic;        /* the last argument is the VARIADIC array itself */
    const Oid *output_types; /* of a record that OUT parameters describe; else NULL */
    int output_count;
} ExprFunction;

typedef struct ExprOperator {
    Expr base;
    Oid op;       /* pg_operator.oid */
    Oid function; /* its oprcode */
    Oid input_collation;
    ExprVec args; /* 1 (prefix) or 2 */
    bool returns_set;
} ExprOperator;

/* left op ANY (array) when use_or, else ALL. */
typedef struct ExprScalarArray {
    Expr base;
    Oid op, function;
    Oid input_collation;
    bool use_or;
    Expr *left, *array;
} ExprScalarArray;

typedef enum BoolOp { BOOL_AND = 1, BOOL_OR, BOOL_NOT } BoolOp;

typedef struct ExprBool {
    Expr base;
    BoolOp op;
    ExprVec args;
} ExprBool;

typedef struct ExprNullTest {
    Expr base;
    Expr *arg;
    bool is_not_null;
    bool arg_is_row; /* a composite: true when every field is (not) null */
} ExprNullTest;

typedef enum BooleanTestKind {
    BOOLEAN_IS_TRUE = 1,
    BOOLEAN_IS_NOT_TRUE,
    BOOLEAN_IS_FALSE,
    BOOLEAN_IS_NOT_FALSE,
    BOOLEAN_IS_UNKNOWN,
    BOOLEAN_IS_NOT_UNKNOWN,
} BooleanTestKind;

typedef struct ExprBooleanTest {
    Expr base;
    Expr *arg;
    BooleanTestKind test;
} ExprBooleanTest;

typedef struct ExprCaseWhen {
    Expr *condition; /* boolean; contains EXPR_CASE_TEST where the CASE has an operand */
    Expr *result;
} ExprCaseWhen;

typedef struct ExprCase {
    Expr base;
    Expr *operand; /* or NULL */
    VEC(ExprCaseWhen) whens;
    Expr *otherwise; /* never NULL: a null constant where ELSE is missing */
    bool has_else;   /* ELSE was written */
} ExprCase;

/* Stands for the operand of the innermost CASE (or the element of the innermost array cast). */
typedef struct ExprCaseTest {
    Expr base;
} ExprCaseTest;

typedef struct ExprCoalesce {
    Expr base;
    ExprVec args;
} ExprCoalesce;

typedef struct ExprMinMax {
    Expr base;
    Oid input_collation;
    bool is_greatest;
    ExprVec args; /* all of base.type: compared by its default order */
} ExprMinMax;

/* NULLIF(a, b): a's value unless `a = b`. */
typedef struct ExprNullIf {
    Expr base;
    Oid op, function; /* the equality operator */
    Oid input_collation;
    Expr *left, *right;
    Expr *value; /* what is returned: left before conversion for the operator */
} ExprNullIf;

/* a IS [NOT] DISTINCT FROM b. */
typedef struct ExprDistinct {
    Expr base;
    Oid op, function; /* the equality operator */
    Oid input_collation;
    Expr *left, *right;
    bool is_not; /* IS NOT DISTINCT FROM */
} ExprDistinct;

typedef struct ExprArray {
    Expr base; /* the array type */
    Oid element_type;
    ExprVec elements; /* of element_type, or (is_nested) arrays of base.type */
    bool is_nested;
} ExprArray;

typedef struct ExprRow {
    Expr base; /* record, or a table's row type */
    ExprVec fields;
    Str *names;       /* one per field */
    bool is_explicit; /* ROW(…) was written out */
    Str whole_of;     /* the name of the relation whose whole row it is; STR_NONE: of none */
} ExprRow;

typedef enum RowCompareKind {
    ROW_COMPARE_LT = 1,
    ROW_COMPARE_LE,
    ROW_COMPARE_GE = 4,
    ROW_COMPARE_GT,
} RowCompareKind;

/* (a, b) < (c, d); = and <> become AND/OR of operators instead. */
typedef struct ExprRowCompare {
    Expr base;
    RowCompareKind compare;
    VEC(Oid) ops; /* one per column, of the same strategy */
    ExprVec left, right;
} ExprRowCompare;

typedef struct Subscript {
    Expr *lower; /* slices only; NULL where omitted */
    Expr *upper; /* the index itself where it is no slice; NULL where omitted */
} Subscript;

/* container[i][j], container[a:b]; in assignments `assigned` is the new value. */
typedef struct ExprSubscript {
    Expr base;
    Oid container_type, element_type;
    Expr *container;
    VEC(Subscript) subscripts; /* int4; of jsonb: int4 or text, as many as wanted */
    bool is_slice;
    Expr *assigned; /* NULL: fetch; else the result is the changed container */
} ExprSubscript;

typedef struct ExprFieldSelect {
    Expr base;
    Expr *arg;  /* composite */
    int attnum; /* 1-based; of a table's row type, where dropped columns do not count */
    Str name;
} ExprFieldSelect;

typedef enum CastKind {
    CAST_RELABEL = 1, /* same physical value, another type or typmod */
    CAST_FUNCTION,    /* function(arg [, typmod [, is_explicit]]) */
    CAST_IO,          /* text of arg read as base.type */
    CAST_ARRAY,       /* element by element: element_cast over EXPR_CASE_TEST */
} CastKind;

typedef struct ExprCast {
    Expr base;
    CastKind cast;
    CallForm form;
    Oid function; /* CAST_FUNCTION */
    ExprVec args; /* args.items[0] is what is cast; CAST_FUNCTION may add typmod and is_explicit */
    Expr *element_cast;
    bool is_length; /* CAST_FUNCTION that only enforces the typmod: varchar(n), numeric(p,s) … */
} ExprCast;

typedef struct ExprCollate {
    Expr base;
    Expr *arg;
} ExprCollate;

typedef enum SqlValueKind {
    SQL_CURRENT_DATE = 1,
    SQL_CURRENT_TIME,
    SQL_CURRENT_TIMESTAMP,
    SQL_LOCALTIME,
    SQL_LOCALTIMESTAMP,
    SQL_CURRENT_ROLE,
    SQL_CURRENT_USER,
    SQL_USER,
    SQL_SESSION_USER,
    SQL_CURRENT_CATALOG,
    SQL_CURRENT_SCHEMA,
} SqlValueKind;

/* base.typmod carries a precision where one was written. */
typedef struct ExprSqlValue {
    Expr base;
    SqlValueKind value;
} ExprSqlValue;

typedef struct ExprCurrentOf {
    Expr base;
    int rel;
    Str cursor_name;
} ExprCurrentOf;

typedef struct ExprNextValue {
    Expr base;
    Oid sequence;
} ExprNextValue;

#endif
