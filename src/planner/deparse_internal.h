/*
 * Deparse, inside: one Deparse is one text being written.
 */
#ifndef PLANNER_DEPARSE_INTERNAL_H
#define PLANNER_DEPARSE_INTERNAL_H

#include "catalog/lookup.h"
#include "planner/deparse.h"
#include "types/type.h"

typedef struct DeparseLevel {
    const Query *query;
    const struct DeparseLevel *outer;
    const Str *rel_names;   /* by range table entry, as written here; NULL: their own */
    bool prefix;            /* columns carry their table's name */
    bool names_unseen;      /* what its columns are called does not show outside */
    const TargetVec *names; /* a set operation's member: the whole's column names */
} DeparseLevel;

/* What sets a param: an expression over the inputs of a plan node. */
typedef struct ParamSource {
    const Plan *plan;
    const Expr *expr;
} ParamSource;

typedef struct Deparse {
    Arena *arena;
    CatalogSession *session;
    StrBuf *buf;
    bool pretty;
    int indent;
    const DeparseLevel *level;
    const RelationDesc *relation; /* a stored expression's table */
    const Expr *case_operand;
    /* plans */
    const PlannedStatement *statement;
    const Plan *plan;
    const Plan *grouping; /* what direct arguments of the aggregate at hand are over */
    bool prefix;                       /* a scan's columns carry their table's name */
    const struct ParamSource *sources; /* by PARAM_EXEC number */
    const Str *plan_names;             /* by Plan.id */
    /* Whether an implicit cast that is written next shows: true for operands and arguments, false
     * for conditions. Each expression sets it for its children; it is true again after each. */
    bool show_implicit;
    bool names_unseen;             /* for the next subquery, as in its level */
    const TargetVec *member_names; /* for the next subquery: a set operation's column names */
    bool failed;
} Deparse;

enum { INDENT_STEP = 8, INDENT_JOIN = 4, INDENT_COLUMN = 4 };

/* A keyword on a line of its own; trailing blanks before it go. */
void deparse_keyword(Deparse *d, const char *text, int before, int after, int plus);
void deparse_expr(Deparse *d, const Expr *expr);
/* The same, hiding an implicit cast at the top. */
void deparse_condition(Deparse *d, const Expr *expr);
void deparse_expr_paren(Deparse *d, const Expr *expr, const Expr *parent);
void deparse_expr_list(Deparse *d, const ExprVec *list, const char *separator);
/* `label`: -1 no type label, 0 where it is needed, 1 always. */
void deparse_const(Deparse *d, const ExprConst *constant, int label);
/* "::type" of an expression. */
void deparse_type_label(Deparse *d, const Expr *expr);
/* Where a star would be read as all columns: a whole row comes with its type. */
void deparse_item(Deparse *d, const Expr *expr);
void deparse_items(Deparse *d, const ExprVec *list, const char *separator);
void deparse_subquery(Deparse *d, const Query *query);
void deparse_name(Deparse *d, Str name);
/* What a range table entry is called: no two of a query and of those around it have one name. */
Str deparse_rel_name(const DeparseLevel *level, int rel);
void deparse_sort(Deparse *d, const Expr *expr, bool is_descending, bool nulls_first);
void deparse_window(Deparse *d, const Query *query, const WindowClause *window);
/* The name that the query gives what a plan reads or changes; STR_NONE: it does neither. */
Str plan_alias(const Plan *plan);
/* By Plan.id: the same, or with a number where several entries have one name. */
const Str *plan_names(Arena *arena, const PlannedStatement *statement);
Str deparse_relation_name(Deparse *d, Oid oid);
Str deparse_function_name(Deparse *d, Oid oid);

#endif
