/*
 * Calls of functions: their arguments and clauses, windows with their frames, ORDER BY's items, and
 * the functions that are written as words (CURRENT_DATE).
 */
#ifndef PARSER_AST_CALL_H
#define PARSER_AST_CALL_H

#include "parser/node.h"

/* How a call was written where SQL has special syntax; deparse prints it the same way. */
typedef enum CoercionForm {
    COERCE_EXPLICIT_CALL, /* f(a, b) */
    COERCE_SQL_SYNTAX,    /* EXTRACT(year FROM a), a AT TIME ZONE b, … */
} CoercionForm;

struct FuncCall {
    Node node;
    StrVec name;
    NodeVec args; /* NamedArgExpr among them for name => value */
    SortByVec agg_order;
    Node *agg_filter;
    WindowDef *over;
    bool agg_within_group; /* ORDER BY came in WITHIN GROUP */
    bool agg_star;         /* count(*) */
    bool agg_distinct;
    bool func_variadic; /* the last argument is labelled VARIADIC */
    CoercionForm form;
};

struct NamedArgExpr {
    Node node;
    Str name;
    Node *arg;
};

typedef enum SQLValueFunctionOp {
    SVFOP_CURRENT_DATE,
    SVFOP_CURRENT_TIME,
    SVFOP_CURRENT_TIME_N,
    SVFOP_CURRENT_TIMESTAMP,
    SVFOP_CURRENT_TIMESTAMP_N,
    SVFOP_LOCALTIME,
    SVFOP_LOCALTIME_N,
    SVFOP_LOCALTIMESTAMP,
    SVFOP_LOCALTIMESTAMP_N,
    SVFOP_CURRENT_ROLE,
    SVFOP_CURRENT_USER,
    SVFOP_USER,
    SVFOP_SESSION_USER,
    SVFOP_CURRENT_CATALOG,
    SVFOP_CURRENT_SCHEMA,
} SQLValueFunctionOp;

struct SQLValueFunction {
    Node node;
    SQLValueFunctionOp op;
    int32_t typmod; /* the precision of the _N forms, else -1 */
};

typedef enum FrameOption {
    FRAMEOPTION_NONDEFAULT = 1,
    FRAMEOPTION_RANGE = 2,
    FRAMEOPTION_ROWS = 4,
    FRAMEOPTION_GROUPS = 8,
    FRAMEOPTION_BETWEEN = 16,
    FRAMEOPTION_START_UNBOUNDED_PRECEDING = 32,
    FRAMEOPTION_END_UNBOUNDED_PRECEDING = 64,
    FRAMEOPTION_START_UNBOUNDED_FOLLOWING = 128,
    FRAMEOPTION_END_UNBOUNDED_FOLLOWING = 256,
    FRAMEOPTION_START_CURRENT_ROW = 512,
    FRAMEOPTION_END_CURRENT_ROW = 1024,
    FRAMEOPTION_START_OFFSET_PRECEDING = 2048,
    FRAMEOPTION_END_OFFSET_PRECEDING = 4096,
    FRAMEOPTION_START_OFFSET_FOLLOWING = 8192,
    FRAMEOPTION_END_OFFSET_FOLLOWING = 16384,
    FRAMEOPTION_EXCLUDE_CURRENT_ROW = 32768,
    FRAMEOPTION_EXCLUDE_GROUP = 65536,
    FRAMEOPTION_EXCLUDE_TIES = 131072,
} FrameOption;
#define FRAMEOPTION_DEFAULTS                                                                       \
    (FRAMEOPTION_RANGE | FRAMEOPTION_START_UNBOUNDED_PRECEDING | FRAMEOPTION_END_CURRENT_ROW)

struct WindowDef {
    Node node;
    Str name;     /* the name defined in WINDOW, or used in OVER name */
    Str ref_name; /* the window it is based on: OVER (w …) */
    NodeVec partition_clause;
    SortByVec order_clause;
    int frame_options;
    Node *start_offset;
    Node *end_offset;
};

typedef enum SortByDir { SORTBY_DEFAULT, SORTBY_ASC, SORTBY_DESC, SORTBY_USING } SortByDir;
typedef enum SortByNulls {
    SORTBY_NULLS_DEFAULT,
    SORTBY_NULLS_FIRST,
    SORTBY_NULLS_LAST,
} SortByNulls;

struct SortBy {
    Node node; /* at the USING operator; 0 otherwise */
    Node *expr;
    SortByDir direction;
    SortByNulls nulls;
    StrVec use_op;
};

#endif
