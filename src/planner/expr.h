/*
 * Typed expressions: what analysis makes of the parser's trees, and what plans compute.
 *
 * Every node starts with Expr: its kind, result type, type modifier, collation and the position of
 * the source text for errors at run time. Expressions are immutable once analyzed; they live in the
 * statement's (or a cached plan's) arena and may be shared between trees.
 *
 * Two dialects, one set of structs:
 *   analyzed (Query)  columns are EXPR_COLUMN (range table entry, attribute), subqueries are
 *                     EXPR_SUB_LINK, aggregates and window functions stand where they were written.
 *   planned (Plan)    columns are EXPR_SLOT (child's output column), subqueries EXPR_SUB_PLAN or a
 *                     PARAM_EXEC; aggregates and window functions live in their plan nodes only.
 *                     EXPR_COLUMN, EXPR_SUB_LINK, EXPR_AGGREGATE, EXPR_WINDOW_FUNCTION,
 * EXPR_DEFAULT and EXPR_GROUPING do not occur.
 *
 * Access: EXPR_AS(ExprColumn, expr) casts; expr->kind has been checked by the caller.
 */
#ifndef PLANNER_EXPR_H
#define PLANNER_EXPR_H

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
    VEC(Subscript) subscripts; /* int4 */
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
} ExprSubPlan;

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

/* Constructors; all fill typmod -1, and what the arguments imply. */
ExprConst *expr_const(Arena *arena, Oid type, int32_t typmod, Oid collation, Value value,
                      bool is_null, int position);
Expr *expr_null(Arena *arena, Oid type, int32_t typmod, Oid collation);
Expr *expr_bool(Arena *arena, bool value);
/* A relation's whole row, of `whole`'s type, to which each column is added in turn; dropped ones,
 * whose name is empty, have no place in it. */
ExprRow *expr_whole_row(Arena *arena, const Expr *whole, Str relation_name, int capacity);
void expr_whole_row_add(Arena *arena, ExprRow *row, Str name, Expr *column);
Expr *expr_int4(Arena *arena, int32_t value);
Expr *expr_slot(Arena *arena, int child, int column, const Expr *like);
Expr *expr_param_exec(Arena *arena, int number, const Expr *like);
Expr *expr_column(Arena *arena, int rel, int attnum, int levels_up, const Expr *like);
Expr *expr_and(Arena *arena, Expr *left, Expr *right);  /* either may be NULL: true */
Expr *expr_and_list(Arena *arena, const ExprVec *list); /* NULL when empty */
Expr *expr_not(Arena *arena, Expr *arg);
#define EXPR_NEW(arena, Type, kind_) ((Type *)expr_new((arena), sizeof(Type), (kind_)))
void *expr_new(Arena *arena, size_t size, ExprKind kind);

/* Where the expression begins in the text: what errors about the whole of it point at. */
int expr_location(const Expr *expr);

/* Structural equality, positions ignored. */
bool expr_equal(const Expr *a, const Expr *b);

/*
 * Walking. The visitor is called on each direct child; it calls expr_walk itself to go deeper.
 * False from it ends the walk. Subqueries are not entered (the visitor sees the EXPR_SUB_LINK).
 */
typedef bool ExprVisitor(void *context, Expr *expr);
bool expr_walk(const Expr *expr, ExprVisitor *visitor, void *context);
/* A copy whose children are replaced by what the function returns (which may be the child itself);
 * returns `expr` itself where nothing changed, NULL when the function failed. */
typedef Expr *ExprMutator(void *context, Expr *expr);
Expr *expr_mutate(Arena *arena, Expr *expr, ExprMutator *mutator, void *context);

/* The functions an expression calls directly: operator's, cast's … 0 for others. */
Oid expr_function(const Expr *expr);

#endif
