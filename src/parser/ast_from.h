/*
 * What stands in FROM, and what names a table anywhere: relations, subqueries, functions, samples,
 * joins, and their aliases.
 */
#ifndef PARSER_AST_FROM_H
#define PARSER_AST_FROM_H

#include "parser/node.h"

struct Alias {
    Node node;
    Str name;
    StrVec colnames;
};

typedef enum Persistence {
    PERSISTENCE_PERMANENT = 'p',
    PERSISTENCE_TEMPORARY = 't',
    PERSISTENCE_UNLOGGED = 'u',
} Persistence;

struct RangeVar {
    Node node;
    Str catalog;
    Str schema;
    Str relation;
    bool only; /* ONLY t: without children */
    Persistence persistence;
    Alias *alias;
};

struct RangeSubselect {
    Node node;
    bool lateral;
    SelectStmt *subquery;
    Alias *alias;
};

struct RangeFunctionItem {
    Node node;
    Node *func;              /* FuncCall, SQLValueFunction … */
    ColumnDefVec coldeflist; /* within ROWS FROM */
};

struct RangeFunction {
    Node node;
    bool lateral;
    bool ordinality;
    bool is_rows_from;
    RangeFunctionItemVec functions;
    Alias *alias;
    ColumnDefVec coldeflist;
};

struct RangeTableSample {
    Node node;
    Node *relation; /* RangeVar */
    StrVec method;
    NodeVec args;
    Node *repeatable;
};

typedef enum JoinType { JOIN_INNER, JOIN_LEFT, JOIN_FULL, JOIN_RIGHT } JoinType;

struct JoinExpr { /* CROSS JOIN is an inner join with no condition */
    Node node;
    JoinType type;
    bool is_natural;
    Node *larg;
    Node *rarg;
    StrVec using_clause;
    Alias *join_using_alias;
    Node *quals;
    Alias *alias;
};

#endif
