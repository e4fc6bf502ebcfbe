/*
 * Expression nodes, as the grammar makes them: no names resolved, no types known.
 *
 * The names are PostgreSQL's, because everyone who has read about its parser knows them. Operators
 * written as keywords become A_Expr kinds or calls of pg_catalog functions as in PostgreSQL, e.g.
 * `a LIKE b` is A_EXPR_LIKE with the operator `~~`, `extract(year from x)` calls
 * pg_catalog.extract.
 */
#ifndef PARSER_AST_EXPR_H
#define PARSER_AST_EXPR_H

#include "parser/ast_call.h"
#include "parser/node.h"

typedef enum ConstKind {
    CONST_NULL,
    CONST_INTEGER, /* fits int4 */
    CONST_FLOAT,   /* any other number, as text without sign: int8 or numeric */
    CONST_BOOLEAN,
    CONST_STRING,     /* type unknown */
    CONST_BIT_STRING, /* text begins with b or x, then the digits */
} ConstKind;

struct A_Const {
    Node node;
    ConstKind kind;
    int32_t integer;
    bool boolean;
    Str text; /* FLOAT, STRING, BIT_STRING */
};

/* a, t.a, s.t.a, t.*: FieldName steps, an A_Star at the end only. */
struct ColumnRef {
    Node node;
    StrVec names;
    bool star; /* `.*` (or a bare `*`) follows the names */
};

struct ParamRef { /* $1 */
    Node node;
    int number;
};

struct A_Star {
    Node node;
};

struct TypeName {
    Node node;
    StrVec names; /* pg_catalog.int4 for SQL's own type words; as written otherwise */
    bool setof;
    bool percent_type;     /* names are a column: t.a%TYPE */
    NodeVec typmods;       /* expressions */
    int32_t typemod;       /* -1, or what INTERVAL's fields mean where typmods is empty */
    VEC(int) array_bounds; /* -1: no size given */
};

struct TypeCast {
    Node node; /* at the `::`, the CAST, or the literal of a typed literal */
    Node *arg;
    TypeName *type_name;
};

struct CollateClause {
    Node node;
    Node *arg; /* NULL in column definitions */
    StrVec collation;
};

typedef enum A_ExprKind {
    A_EXPR_OP,     /* lexpr may be NULL: prefix operator */
    A_EXPR_OP_ANY, /* a op ANY (array) */
    A_EXPR_OP_ALL,
    A_EXPR_DISTINCT, /* IS DISTINCT FROM; name is "=" */
    A_EXPR_NOT_DISTINCT,
    A_EXPR_NULLIF,  /* name is "=" */
    A_EXPR_IN,      /* rexpr is an ExprList; name is "=" or "<>" (NOT IN) */
    A_EXPR_LIKE,    /* ~~ or !~~ */
    A_EXPR_ILIKE,   /* ~~* or !~~* */
    A_EXPR_SIMILAR, /* ~ or !~; rexpr is a call of similar_to_escape */
    A_EXPR_BETWEEN, /* rexpr is an ExprList of two */
    A_EXPR_NOT_BETWEEN,
    A_EXPR_BETWEEN_SYM,
    A_EXPR_NOT_BETWEEN_SYM,
} A_ExprKind;

struct A_Expr {
    Node node; /* at the operator */
    A_ExprKind kind;
    StrVec name; /* possibly qualified operator */
    Node *lexpr;
    Node *rexpr;
};

typedef enum BoolExprType { AND_EXPR, OR_EXPR, NOT_EXPR } BoolExprType;

struct BoolExpr { /* AND and OR are flat: a AND b AND c has three args */
    Node node;
    BoolExprType op;
    NodeVec args;
};

struct NullTest {
    Node node;
    Node *arg;
    bool is_not;
};

typedef enum BoolTestType {
    IS_TRUE,
    IS_NOT_TRUE,
    IS_FALSE,
    IS_NOT_FALSE,
    IS_UNKNOWN,
    IS_NOT_UNKNOWN,
} BoolTestType;

struct BooleanTest {
    Node node;
    Node *arg;
    BoolTestType type;
};

typedef enum SubLinkType {
    EXISTS_SUBLINK,
    ALL_SUBLINK,   /* test op ALL (select) */
    ANY_SUBLINK,   /* test op ANY (select); IN without oper_name */
    EXPR_SUBLINK,  /* (select) as a value */
    ARRAY_SUBLINK, /* ARRAY(select) */
} SubLinkType;

struct SubLink {
    Node node;
    SubLinkType type;
    Node *test_expr;
    StrVec oper_name;
    Node *subselect; /* SelectStmt */
};

struct CaseExpr {
    Node node;
    Node *arg;
    CaseWhenVec whens;
    Node *default_result;
};

struct CaseWhen {
    Node node;
    Node *expr;
    Node *result;
};

struct CoalesceExpr {
    Node node;
    NodeVec args;
};

struct MinMaxExpr {
    Node node;
    bool is_greatest;
    NodeVec args;
};

struct XmlExpr { /* any XML construct; analysis refuses it */
    Node node;
    Str feature; /* "XMLELEMENT" */
};

struct GroupingFunc {
    Node node;
    NodeVec args;
};

/* A step of an indirection: FieldName (.a), A_Star (.*) or A_Indices ([i] or [l:u]). */
struct FieldName {
    Node node;
    Str name;
};

struct A_Indices {
    Node node;
    bool is_slice;
    Node *lidx; /* slice only; may be NULL */
    Node *uidx;
};

struct A_Indirection {
    Node node;
    Node *arg;
    NodeVec indirection;
};

struct A_ArrayExpr { /* ARRAY[…] */
    Node node;
    NodeVec elements;
};

struct RowExpr {
    Node node;
    NodeVec args;
    bool explicit_row; /* ROW(a, b), not (a, b) */
};

struct ExprList { /* the right side of IN and BETWEEN */
    Node node;
    NodeVec items;
};

struct SetToDefault { /* DEFAULT in VALUES and SET */
    Node node;
};

/* The n-th of the columns of SET (a, b) = source; all of them share `source`. */
struct MultiAssignRef {
    Node node;
    Node *source;      /* RowExpr, SubLink or any expression */
    int column_number; /* from 1 */
    int column_count;
};

struct CurrentOfExpr {
    Node node;
    Str cursor_name;
};

#endif
