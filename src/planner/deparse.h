/*
 * Deparse: queries and expressions back to SQL, printed as PostgreSQL prints them.
 *
 * Names are qualified where the session's search path would not find them. `pretty` is the
 * form of pg_get_viewdef(oid, true): fewer parentheses, indented. Results live in the arena.
 */
#ifndef PLANNER_DEPARSE_H
#define PLANNER_DEPARSE_H

#include "catalog/catalog.h"
#include "catalog/relation.h"
#include "planner/plan.h"

typedef enum DeparseStyle {
    DEPARSE_PLAIN = 0,
    DEPARSE_PRETTY = 1,    /* pretty parentheses and indentation */
    DEPARSE_QUALIFIED = 2, /* every name outside pg_catalog gets its schema: stored text */
} DeparseStyle;

/* An expression over one relation's columns (rel 1), unqualified: pg_get_expr, defaults, checks. */
MUST_CHECK bool deparse_expression(Arena *arena, CatalogSession *session, const Expr *expr,
                                   const RelationDesc *relation, DeparseStyle style, Str *ret_text);
/* A whole SELECT (or any query), without the final semicolon. */
MUST_CHECK bool deparse_query(Arena *arena, CatalogSession *session, const Query *query,
                              DeparseStyle style, Str *ret_text);

/* What the functions of these names print. STR_NONE in *ret_text: no such object. */
MUST_CHECK bool deparse_view(Arena *arena, CatalogSession *session, Oid view, bool is_pretty,
                             Str *ret_text);
MUST_CHECK bool deparse_index(Arena *arena, CatalogSession *session, Oid index, int column,
                              bool is_pretty, Str *ret_text);
MUST_CHECK bool deparse_constraint_of(Arena *arena, CatalogSession *session,
                                      const RelationDesc *relation,
                                      const ConstraintDesc *constraint, bool is_pretty,
                                      Str *ret_text);
/* pg_get_expr on stored text: the text is canonical already; `pretty` drops parentheses. */
MUST_CHECK bool deparse_stored_expression(Arena *arena, CatalogSession *session, Str text,
                                          Oid relation, bool is_pretty, Str *ret_text);

/* A plan's expressions, for EXPLAIN. VERBOSE qualifies the columns of every condition. */
typedef struct DeparsePlan DeparsePlan;
DeparsePlan *deparse_plan_new(Arena *arena, CatalogSession *session,
                              const PlannedStatement *statement, bool is_verbose);
/* What a scan or a change of a table calls it. */
Str deparse_plan_name(const DeparsePlan *deparse, const Plan *plan);
Str deparse_plan_output(DeparsePlan *deparse, const Plan *plan, const Expr *expr);
/* A key, which names its tables as what stands above a join does, whatever node makes it. */
Str deparse_plan_key(DeparsePlan *deparse, const Plan *plan, const Expr *expr);
Str deparse_plan_expression(DeparsePlan *deparse, const Plan *plan, const Expr *expr,
                            bool with_parentheses);

/* "name" quoted where it must be. */
Str deparse_identifier(Arena *arena, Str name);
Str deparse_literal(Arena *arena, Str text); /* 'text' with doubled quotes, E'' where needed */
Str deparse_qualified(Arena *arena, Str schema, Str name);

#endif
